"""Work as JSON on standard input, one line of JSON on standard output for each host as it answers.

Only rollout.audit.sweep starts it. It decodes nothing: what hosts say is judged outside.
"""

import json
import logging
import os
import socket
import sys
import time
from importlib.metadata import EntryPoint
from io import TextIOWrapper
from typing import Any

from paramiko import Transport
from pyinfra import logger
from pyinfra.api import Config, Inventory, State, StringCommand, connectors
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_host, ctx_state


def _only_ssh(group: str) -> list[EntryPoint]:
    """In place of a search among all dists for ways to reach hosts; each of them would be imported."""
    return [EntryPoint("ssh", f"{SSHConnector.__module__}:{SSHConnector.__name__}", group)]


def _said(output: list[str]) -> str:
    """The last line that begins with the marker; without one, what went wrong is in the last lines."""
    marked = [line for line in output if line.startswith("rollout-facts:")]
    return marked[-1] if marked else " ".join(output[-3:])


def _settle(host: Host, work: dict[str, Any], entry: dict[str, str]) -> dict[str, Any]:
    try:
        host.connect(show_errors=False, raise_exceptions=True)
    except ConnectError as error:
        return {"host": host.name, "unreachable": str(error)}
    # No fact of pyinfra's: working out the arguments of one takes longer than the rest of the conversation.
    _, output = host.run_shell_command(
        StringCommand(work["command"]),
        _stdin=[work["program"], entry["wanted"]],
        _timeout=work["command_seconds"],
        _shell_executable=None,  # the user's own is one already
    )
    answer = _said(output.stdout_lines)
    if not answer:
        return {"host": host.name, "unreachable": "the connection broke while the host was looked at"}
    return {"host": host.name, "facts": answer, "at": time.time()}


def _one(host: Host, work: dict[str, Any], entry: dict[str, str], out: TextIOWrapper) -> None:
    with ctx_host.use(host):
        try:
            answer = _settle(host, work, entry)
        except Exception as error:  # noqa: BLE001  one host must never end the sweep of the others
            answer = {"host": host.name, "unreachable": f"{type(error).__name__}: {error}"}
    out.write(json.dumps(answer) + "\n")
    out.flush()


def _transport(sock: socket.socket, **options: Any) -> Transport:
    """A connection that waits for no acknowledgement before it goes on: else each login idles 0.1 s.

    P-256 comes first among the key exchanges: sshd has it from OpenSSL, but Curve25519 from plain C that
    takes 2 ms more. A host that offers only the latter gets it.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = Transport(sock, **options)
    offered = transport.get_security_options()
    offered.kex = sorted(offered.kex, key=lambda name: name != "ecdh-sha2-nistp256")
    return transport


def _inventory(work: dict[str, Any]) -> Inventory:
    common = {
        "ssh_key": work["key"],
        "ssh_known_hosts_file": work["known_hosts"],
        "ssh_strict_host_key_checking": "yes",
        "ssh_config_file": os.devnull,  # nothing personal decides how a host is reached
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "ssh_paramiko_connect_kwargs": {
            "banner_timeout": work["connect_seconds"],
            "auth_timeout": work["connect_seconds"],
            "channel_timeout": work["connect_seconds"],
            "transport_factory": _transport,
        },
    }
    hosts = [
        (host["name"], {"ssh_hostname": host["address"], "ssh_user": host["user"]}) for host in work["hosts"]
    ]
    return Inventory((hosts, common))


def main() -> None:
    """Looks at all hosts at once."""
    connectors.entry_points = _only_ssh
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    text = sys.stdin.read()
    work = json.loads(text) if text else {"hosts": []}
    if not work["hosts"]:
        return  # nobody needs it after all
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # only answers may reach standard output
    entries = {host["name"]: host for host in work["hosts"]}
    state = State(
        _inventory(work),
        Config(PARALLEL=max(1, len(entries)), CONNECT_TIMEOUT=work["connect_seconds"]),
    )
    with ctx_state.use(state):
        for host in state.inventory:
            state.pool.spawn(_one, host, work, entries[host.name], out)
        state.pool.join()
    os._exit(0)  # connections end with the process; closing each politely costs time and says nothing


if __name__ == "__main__":
    main()
