"""Collects what a supporter needs from this host: read only, each part bounded in size and time.

What it says is not clean yet: the control node, which knows the secrets, takes them and people's data out
before anything is written down.
"""

import socket
import subprocess
from pathlib import Path
from typing import Any

_UNITS = (
    *(
        "jincai@*",
        "jincai-migrate@*",
        "jincai-drop",
        "patroni",
        "etcd",
        "haproxy",
        "keepalived",
        "nginx",
        "chrony",
    ),
    *("pgbackrest*", "ssh", "nftables"),
)
_COMMANDS = {
    "system/uname": ["uname", "-a"],
    "system/uptime": ["uptime"],
    "system/memory": ["free", "-m"],
    "system/disk": ["df", "-hT", "-x", "tmpfs", "-x", "overlay"],
    "system/disk-inodes": ["df", "-i"],
    "system/failed-units": ["systemctl", "--failed", "--no-pager", "--plain"],
    "system/units": ["systemctl", "list-units", "--no-pager", "--plain", "--type=service,timer"],
    "system/addresses": ["ip", "-brief", "address"],
    "system/sockets": ["ss", "-tlnp"],
    "system/clock": ["chronyc", "-n", "tracking"],
    "versions/packages": ["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\\n"],
    # Without -B root would leave bytecode in the environment, and the next audit would find it.
    "versions/platform": ["/opt/jincai/current/venv/bin/python", "-B", "-P", "-s", "-m", "jincai", "version"],
    "cluster/patroni": ["patronictl", "-c", "/etc/patroni/config.yml", "list", "-e", "-f", "json"],
    "cluster/history": ["patronictl", "-c", "/etc/patroni/config.yml", "history", "-f", "json"],
    "backup/info": ["runuser", "-u", "postgres", "--", "pgbackrest", "info"],
}
_HAPROXY = Path("/run/haproxy/admin.sock")
_RELEASE = Path("/opt/jincai/current/release.env")


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What was collected.

    Args:
        question: ``seconds`` for each part, ``bytes`` of each part (its end is kept), ``hours`` of logs.

    Returns:
        ``parts``: name → ``text``, whether it was ``cut``; ``missing``: name → why there is none.
    """
    parts: dict[str, Any] = {}
    missing: dict[str, str] = {}
    commands = dict(_COMMANDS)
    since = f"-{question['hours']}h"
    for unit in _UNITS:
        name = unit.strip("@*")
        commands[f"logs/{name}"] = [
            *("journalctl", "--no-pager", "--output=short-iso", f"--since={since}", f"--unit={unit}"),
        ]
    # The kernel's last words explain a killed process.
    commands["logs/kernel"] = [
        "journalctl",
        "--no-pager",
        "--output=short-iso",
        f"--since={since}",
        "--dmesg",
    ]
    for name, argv in commands.items():
        try:
            text = _said(argv, question["seconds"])
        except (OSError, subprocess.SubprocessError) as error:
            missing[name] = str(error)[:200]
            continue
        parts[name] = _bounded(text, question["bytes"])
    for name, read in {"edge/haproxy-stats": _haproxy, "versions/release": _RELEASE.read_text}.items():
        try:
            parts[name] = _bounded(read(), question["bytes"])
        except OSError as error:
            missing[name] = str(error)[:200]
    return {"parts": parts, "missing": missing}


def _said(argv: list[str], seconds: float) -> str:
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False, errors="replace"
    )
    return done.stdout


def _haproxy() -> str:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(5)
        asked.connect(str(_HAPROXY))
        asked.sendall(b"show info;show stat\n")
        received = bytearray()
        while piece := asked.recv(65536):
            received += piece
            if len(received) > 1 << 22:
                break
    return received.decode(errors="replace")


def _bounded(text: str, most: int) -> dict[str, Any]:
    """The end of it, from the beginning of a line."""
    raw = text.encode()
    if len(raw) <= most:
        return {"text": text, "cut": False}
    kept = raw[-most:].decode(errors="replace")
    return {"text": kept.partition("\n")[2], "cut": True}
