"""Which processes still run programs or libraries that are no longer on disk: old code that runs on."""

from __future__ import annotations

import os

from rollout.audit.probes.text import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Where programs and libraries are. Deleted temporary files and shared memory are ordinary.
_CODE = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/opt/")
_DELETED = " (deleted)"


def parse_maps(text: str) -> set[str]:
    """The replaced programs and libraries in ``/proc/<pid>/maps``."""
    lines = [line.split(None, 5) for line in text.split("\n") if line.endswith(_DELETED)]
    paths = {line[5].removesuffix(_DELETED) for line in lines}
    return {path for path in paths if path.startswith(_CODE)}


def parse_cgroup(text: str) -> set[str]:
    """The names in the control group's path: slices and, in the end, the unit."""
    return {part for line in text.splitlines() for part in line.split(":", 2)[-1].split("/")}


def collect(units: set[str], proc: str = "/proc") -> dict[str, Any]:
    """Per unit: its processes, wherever their parents are, and which replaced files they run."""
    pids: dict[str, list[int]] = {unit: [] for unit in units}
    deleted: dict[str, set[str]] = {unit: set() for unit in units}
    for process in os.listdir(proc) if units else []:
        if process.isdigit():
            # Nothing can be read of a process that has ended meanwhile.
            for unit in units & parse_cgroup(read(f"{proc}/{process}/cgroup") or ""):
                pids[unit].append(int(process))
                deleted[unit] |= parse_maps(read(f"{proc}/{process}/maps") or "")
    return {unit: {"pids": sorted(pids[unit]), "deleted": sorted(deleted[unit])} for unit in sorted(units)}
