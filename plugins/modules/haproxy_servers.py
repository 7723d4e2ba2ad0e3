#!/usr/bin/python
"""Ansible module: waits until HAProxy sends requests to the given servers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: haproxy_servers
short_description: Waits until HAProxy on this host sends requests to the given servers
description:
  - Asks the admin socket for the state of each server. Where no HAProxy listens there is nothing to wait for.
options:
  servers:
    description: Names of servers, each of which must be known and up.
    type: list
    elements: str
    required: true
  socket:
    description: HAProxy's admin socket.
    type: path
    default: /run/haproxy/admin.sock
  seconds:
    description: How long to wait at most.
    type: int
    default: 20
author: the rollout project
"""

EXAMPLES = r"""
- name: HAProxy sends requests to a again
  haproxy_servers:
    servers: [nanning-a-1]
"""

RETURN = r"""
states:
  description: Server → what HAProxy says of it; empty where none listens.
  type: dict
  returned: always
"""

import csv
import socket
import time

from ansible.module_utils.basic import AnsibleModule

_PAUSE_SECONDS = 0.3
_TIMEOUT_SECONDS = 5
_MOST_BYTES = 1 << 20


def states(text: str) -> dict[str, str]:
    """Server → status, from the answer to ``show stat``."""
    rows = csv.DictReader(text.lstrip("# ").splitlines())
    return {row["svname"]: row["status"] for row in rows if row["svname"] not in {"FRONTEND", "BACKEND"}}


def _ask(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT_SECONDS)
        connection.connect(path)
        connection.sendall(b"show stat\n")
        answer = b""
        while len(answer) < _MOST_BYTES and (chunk := connection.recv(65536)):
            answer += chunk
    return answer.decode("utf-8", "replace")


def _known(path: str) -> dict[str, str] | None:
    """What HAProxy says, or None where none listens."""
    try:
        return states(_ask(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return None


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "servers": {"type": "list", "elements": "str", "required": True},
            "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
            "seconds": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    wanted: list[str] = module.params["servers"]
    end = time.monotonic() + module.params["seconds"]
    while True:
        found = _known(module.params["socket"])
        if found is None or module.check_mode:
            module.exit_json(changed=False, states={})
        seen = {name: found.get(name, "unknown") for name in wanted}
        if all(state.startswith("UP") for state in seen.values()):
            module.exit_json(changed=False, states=seen)
        if time.monotonic() > end:
            text = ", ".join(f"{name} is {state}" for name, state in seen.items())
            module.fail_json(msg=f"HAProxy does not send requests there: {text}", states=seen)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
