"""What the running programs say about themselves: the version that answers, not the one on disk."""

import json
import os
import socket
import subprocess
from pathlib import Path
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
    import http.client  # noqa: PLC0415  a bare host asks nobody: this import would double its time
    import ssl  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    tls = {name: path for name, path in (tls or {}).items() if Path(path).exists()}
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
    command = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-p", str(port)]
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "2", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, "-d", "postgres", "-c", "SHOW server_version"],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd="/",
        env=environment,
    )
    if done.returncode:
        raise OSError(done.stderr.strip() or f"psql ended with {done.returncode}")
    return done.stdout.strip()
