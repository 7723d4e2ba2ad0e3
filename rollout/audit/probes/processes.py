"""Which processes still run programs or libraries that are no longer on disk: old code that runs on."""

import re
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
# A mapping of a program or library that was replaced. Deleted temporary files and shared memory are ordinary.
_DELETED = re.compile(r"(?<= )((?:/usr|/lib|/lib64|/bin|/sbin|/opt)/.*) \(deleted\)$", re.MULTILINE)


def parse_maps(text: str) -> set[str]:
    """The replaced programs and libraries in ``/proc/<pid>/maps``."""
    return set(_DELETED.findall(text))


def parse_cgroup(text: str) -> set[str]:
    """The names in the control group's path: slices and, in the end, the unit."""
    return {part for line in text.splitlines() for part in line.split(":", 2)[-1].split("/")}


def _read(path: Path) -> str:
    """The text of a file below /proc; empty when its process is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def collect(units: set[str], proc: Path = _PROC) -> dict[str, Any]:
    """Per unit: its processes, wherever their parents are, and which replaced files they run."""
    pids: dict[str, list[int]] = {unit: [] for unit in units}
    deleted: dict[str, set[str]] = {unit: set() for unit in units}
    for process in proc.iterdir():
        if process.name.isdigit():
            for unit in units & parse_cgroup(_read(process / "cgroup")):
                pids[unit].append(int(process.name))
                deleted[unit] |= parse_maps(_read(process / "maps"))
    return {unit: {"pids": sorted(pids[unit]), "deleted": sorted(deleted[unit])} for unit in sorted(units)}
