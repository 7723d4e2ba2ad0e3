"""A host over fabric: the home's key and known_hosts, host-key checking on, never a question.

Break-glass must not depend on what a control node's OpenSSH client is set up to do, so it speaks SSH itself.
"""

import contextlib
import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fabric import Config, Connection
from paramiko import RejectPolicy
from paramiko.ssh_exception import SSHException

from rollout.errors import ApplyError, UnreachableError
from rollout.inventory import Host
from rollout.paths import Home

CONNECT_SECONDS = 5
ANSWER_BYTES = 256 << 20
_SAID_BYTES = 2000
_HINT = "Is it running, does it accept this control node's key, and is its host key the known one?"


class FabricHost:
    """One host, reached as its user, who may use sudo without a password; a connection for each program."""

    def __init__(self, host: Host, home: Home) -> None:
        self.host = host
        self._home = home

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.host.name

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002 - as subprocess names it
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        """Standard output of ``argv`` on the host, 256 MiB at most.

        Raises UnreachableError when there is no connection, or for ``timeout`` seconds not a byte comes; and
        ApplyError with the end of its standard error when the program fails.
        """
        command = shlex.join([*(("sudo", "-n", "--") if sudo else ()), *argv])
        with self._connected() as connection, self._reached():
            transport = connection.client.get_transport()
            channel = transport.open_session(timeout=CONNECT_SECONDS)
            channel.settimeout(timeout)
            channel.exec_command(command)
            channel.sendall(input)
            channel.shutdown_write()
            output = channel.makefile("rb").read(ANSWER_BYTES + 1)
            if len(output) > ANSWER_BYTES:
                raise ApplyError(f"{self.name}: {argv[0]} answered more than {ANSWER_BYTES >> 20} MiB")
            said = channel.makefile_stderr("rb").read()[-_SAID_BYTES:].decode(errors="replace").strip()
            code = channel.recv_exit_status()
        if code:
            raise ApplyError(f"{self.name}: {argv[0]} ended with {code}:\n{said}")
        return bytes(output)

    def user(self) -> str:
        """Who logs in."""
        return self.host.user

    def credentials(self) -> dict[str, Any]:
        """What opens it."""
        return {"key_filename": str(self._home.ssh_key)}

    def trust(self, connection: Connection) -> None:
        """Sets which host keys are believed; fabric itself would accept any."""
        connection.client.set_missing_host_key_policy(RejectPolicy())
        connection.client.load_host_keys(str(self._home.known_hosts))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        connection = Connection(
            str(self.host.address),
            user=self.user(),
            connect_timeout=CONNECT_SECONDS,
            # Nothing of this account's ~/.ssh, no agent: only what the home holds.
            config=Config(overrides={"load_ssh_configs": False}),
            connect_kwargs={
                **self.credentials(),
                "allow_agent": False,
                "look_for_keys": False,
                "banner_timeout": CONNECT_SECONDS,
                "auth_timeout": CONNECT_SECONDS,
            },
        )
        with self._reached():
            self.trust(connection)
            connection.open()
        try:
            yield connection
        finally:
            with contextlib.suppress(OSError, EOFError, SSHException):
                connection.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except socket.timeout as error:  # noqa: UP041 - paramiko's own name for it
            raise UnreachableError(f"{self.name} ({self.host.address}): no answer in time", _HINT) from error
        except (OSError, EOFError, SSHException) as error:
            said = str(error).strip() or type(error).__name__
            raise UnreachableError(f"{self.name} ({self.host.address}): {said}", _HINT) from error
