"""What the running programs say about themselves: the version that answers, not the one on disk."""

from __future__ import annotations

import os

from rollout.audit.probes import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_ANSWER = 1024 * 1024


def parse_haproxy(text: str) -> str:
    """The version, from the stats socket's ``show info``."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "Version":
            return value.strip()
    raise ValueError("no version in the answer of haproxy's socket")


def get_json(url: str, timeout: float, tls: dict[str, str] | None = None) -> Any:
    """The JSON that ``url`` answers with, whatever the status code.

    With ``tls["ca"]`` the server's certificate is verified against it. Without one it is not: the host
    asks itself. ``tls["cert"]`` and ``tls["key"]`` are shown when the server wants them.
    """
    import http.client
    import json
    import ssl
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    tls = {name: path for name, path in (tls or {}).items() if os.path.exists(path)}
    context = ssl.create_default_context(cafile=tls.get("ca"))
    if "ca" not in tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if "cert" in tls:
        context.load_cert_chain(tls["cert"], tls.get("key"))
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=timeout, context=context
    )
    try:
        connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
        return json.loads(connection.getresponse().read(_MAX_ANSWER))
    finally:
        connection.close()


def haproxy(path: str, timeout: float) -> str:
    """The version of the HAProxy that listens on its stats socket."""
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(b"show info\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if len(answer) > _MAX_ANSWER:
                break
    return parse_haproxy(answer.decode("utf-8", "replace"))


def postgresql(port: int, timeout: float) -> str:
    """``server_version`` of the running server, e.g. ``15.13 (Debian 15.13-0+deb12u1)``."""
    settings = ["PGCONNECT_TIMEOUT=2", "LC_ALL=C.UTF-8"]
    command = ["runuser", "-u", "postgres", "--", "env", "--chdir=/", *settings]
    command += ["psql", "-XAtq", "-p", str(port), "-d", "postgres", "-c", "SHOW server_version"]
    return program.output(command, timeout).strip()
