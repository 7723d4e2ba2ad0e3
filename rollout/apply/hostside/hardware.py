"""What a host is made of: cores, memory, disks, network, clock, firmware; how fast its disk syncs."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

_SYNCS = 200
_BLOCK = b"x" * 4096


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Everything that can be told; None where this machine does not tell.

    Args:
        question: ``sync``: the folder to measure in.
    """
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": _memory(),
        "disks": _disks(),
        "nics": _nics(),
        "bonded": bool(_text("/sys/class/net/bonding_masters")),
        "fsync_p99_ms": _fsync(question["sync"]),
        "clock_ms": _clock(),
        "virtual": _output(["systemd-detect-virt"]) or "none",
        "firmware": {
            "bios": _text("/sys/class/dmi/id/bios_version"),
            "board": _text("/sys/class/dmi/id/board_version"),
            "system": _text("/sys/class/dmi/id/product_version"),
        },
        "serial": _text("/sys/class/dmi/id/product_serial"),
    }


def _memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def _disks() -> dict[str, Any]:
    """``count`` of whole disks, None where none is to be seen; ``gib`` of the file system with the data."""
    found = os.statvfs("/var")
    count = 0
    listed = _output(["lsblk", "--json", "--nodeps", "--output", "NAME,TYPE"])
    with contextlib.suppress(ValueError, KeyError):
        count = sum(one["type"] == "disk" for one in json.loads(listed)["blockdevices"])
    return {"count": count or None, "gib": found.f_blocks * found.f_frsize >> 30}


def _nics() -> list[dict[str, Any]]:
    """Network interfaces that are up, the loopback left out; ``mbps`` None where it is not told."""
    nics = []
    for path in sorted(Path("/sys/class/net").iterdir()):
        if path.name == "lo" or _text(f"{path}/operstate") not in {"up", "unknown"}:
            continue
        speed = _text(f"{path}/speed")
        nics.append({"name": path.name, "mbps": int(speed) if speed.isdigit() else None})
    return nics


def _fsync(folder: str) -> float:
    """Milliseconds within which 99 of 100 blocks of 4 KiB are written and synced."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            begun = time.perf_counter()
            file.write(_BLOCK)
            file.flush()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return round(sorted(taken)[int(_SYNCS * 0.99) - 1], 2)


def _clock() -> float | None:
    """How far chrony thinks the clock is off, in milliseconds; None without chrony."""
    fields = _output(["chronyc", "-c", "tracking"]).split(",")
    try:
        return round(abs(float(fields[4])) * 1000, 3)
    except (IndexError, ValueError):
        return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
