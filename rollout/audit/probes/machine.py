"""The machine itself: kernel, boot, virtualisation, clock, and what it remembers of releases."""

from __future__ import annotations

import os
import time

from rollout.audit.probes.text import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ACCEPTED = "/var/lib/rollout/accepted.json"


def parse_virtualisation(container: str | None, cpuinfo: str) -> str:
    """``systemd-nspawn`` and the like in a container, ``vm`` under a hypervisor, else ``none``."""
    if container is not None:
        return container.strip() or "container"
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    return "vm" if "hypervisor" in flags.split() else "none"


def parse_kernel_version(version: str) -> str:
    """The Debian version of the running kernel, from ``uname -v``; empty when it is not Debian's."""
    _, _, rest = version.partition("Debian ")
    return rest.split()[0] if rest else ""


def _holds_anything(folder: str) -> bool:
    return os.path.isdir(folder) and bool(os.listdir(folder))


def _accepted() -> Any:
    text = read(ACCEPTED)
    if text is None:
        return None
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        return {"error": str(error)}


def collect(data_folders: list[str], record: str) -> dict[str, Any]:
    """Everything at once, all of it from files.

    ``data_folders``: which of them hold anything. ``record``: the file of the site's record, read with its
    signature; empty when the control node has its own.
    """
    kernel = os.uname()
    cpuinfo = read("/proc/cpuinfo") or ""
    return {
        "hostname": kernel.nodename,
        "kernel": kernel.release,
        "kernel_version": parse_kernel_version(kernel.version),
        "architecture": kernel.machine,
        "boot_id": (read("/proc/sys/kernel/random/boot_id") or "").strip(),
        "virtualisation": parse_virtualisation(read("/run/systemd/container"), cpuinfo),
        "clock": time.time(),
        "accepted": _accepted(),
        "record": [read(record), read(f"{record}.asc")] if record else [None, None],
        "data": [folder for folder in data_folders if _holds_anything(folder)],
    }
