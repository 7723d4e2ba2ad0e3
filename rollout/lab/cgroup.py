"""A control group of its own for every host.

Without one, every host's systemd would take the group this machine's shell is in for its own root, and
the hosts would see, limit and kill each other's services.
"""

import contextlib
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PARENT = "rollout-lab"
# Holds the processes that start the hosts; a group that is divided further can hold none itself (version 2).
LAUNCHER = "launcher"

# Version 1 controllers that systemd uses for limits; nspawn shows them read-only, the host remounts them.
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "blkio")


def machine_has_systemd() -> bool:
    """Whether this machine's own systemd manages control groups, and must be asked for one."""
    return Path("/run/systemd/system").is_dir()


def create(host: str) -> list[Path]:
    """The host's group in every hierarchy of this machine; empty when systemd makes it."""
    if machine_has_systemd():
        return []
    groups = [hierarchy / _PARENT / host for hierarchy in _hierarchies()]
    for group in groups:
        group.parent.mkdir(exist_ok=True)
        for divided in (group.parent.parent, group.parent):
            _pass_on_limits(divided)
        group.mkdir(exist_ok=True)
    return groups


def remove(host: str) -> None:
    """Removes the host's groups; one that still has a process in it stays."""
    for hierarchy in _hierarchies():
        top = hierarchy / _PARENT / host
        folders = sorted((p for p in top.rglob("*") if p.is_dir()), key=lambda p: len(p.parts), reverse=True)
        for folder in [*folders, top]:
            with contextlib.suppress(OSError):
                folder.rmdir()


def memory_bytes(host: str) -> int | None:
    """Memory charged to the host, page cache included; None when this machine does not say."""
    for path in (
        _ROOT / "memory" / _PARENT / host / "memory.usage_in_bytes",
        _ROOT / _PARENT / host / "memory.current",
    ):
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text(encoding="ascii"))
    return None


def _pass_on_limits(group: Path) -> None:
    """Lets the groups below ``group`` set limits (version 2); where that is not allowed, they have none."""
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    names = ("systemd", "unified", *CONTROLLERS)
    return [_ROOT / name for name in names if (_ROOT / name / "cgroup.procs").exists()]
