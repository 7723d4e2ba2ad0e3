#!/usr/bin/python
"""Ansible module: which running units run something else than what is on the disk now."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stale_units
short_description: Finds running units that run something else than what is on the disk now
description:
  - After an upgrade a process goes on with the old files until it is restarted. The kernel marks them
    as deleted; this module reads those marks for every process in the unit's control group.
  - A unit is also stale when one of I(files) is newer than its last start or reload. A run that was killed
    between writing a file and notifying its handler leaves just that behind.
options:
  units:
    description: Names of systemd units.
    type: list
    elements: str
    required: true
  files:
    description: Settings that these units read when they start or reload.
    type: list
    elements: path
    default: []
author: the rollout project
"""

EXAMPLES = r"""
- name: Does etcd still run replaced files
  stale_units:
    units: [etcd.service]
    files: [/etc/default/etcd]
  register: stale
"""

RETURN = r"""
units:
  description: Those of the given units that do.
  type: list
  elements: str
  returned: always
"""

import re
from datetime import datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# Only programs and libraries count: deleted temporary files and shared memory are ordinary.
_CODE = re.compile(r" (/usr|/lib|/lib64|/bin|/sbin|/opt)/[^ ]* \(deleted\)$")


def _read(path: Path) -> str:
    """The text of a file under /proc; empty when the process is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def is_stale(process: Path) -> bool:
    """Whether a process maps code that is no longer on disk."""
    return any(_CODE.search(line) for line in _read(process / "maps").splitlines())


def unit_of(cgroup: str, units: list[str]) -> str | None:
    """The unit among ``units`` that a process with this /proc/PID/cgroup belongs to."""
    parts = {part for line in cgroup.splitlines() for part in line.split(":", 2)[-1].split("/")}
    return next((unit for unit in units if unit in parts), None)


def stale_units(units: list[str], proc: Path = Path("/proc")) -> list[str]:
    """The units, in the given order, that have at least one stale process."""
    found = set()
    for process in proc.iterdir():
        if process.name.isdigit():
            unit = unit_of(_read(process / "cgroup"), units)
            if unit and unit not in found and is_stale(process):
                found.add(unit)
    return [unit for unit in units if unit in found]


def changed_at(text: str) -> float:
    """Seconds since 1970 of systemctl's ``Mon 2026-11-23 22:06:28.263385 UTC``; 0 for nothing."""
    if not text.strip():
        return 0.0
    return datetime.strptime(
        text.strip().partition(" ")[2] + "+0000", "%Y-%m-%d %H:%M:%S.%f UTC%z"
    ).timestamp()


def newest(files: list[str]) -> float:
    """When the newest of the files was written; 0 when none is there."""
    return max((Path(f).stat().st_mtime for f in files if Path(f).exists()), default=0.0)


def behind_files(module: AnsibleModule, units: list[str], files: list[str]) -> set[str]:
    """The units whose last start or reload is older than the newest of the files."""
    written = newest(files)
    found = set()
    for unit in units if written else []:
        argv = ["systemctl", "show", "--timestamp=us+utc", "-P", "StateChangeTimestamp", unit]
        _, out, _ = module.run_command(argv, check_rc=True)
        if changed_at(out) < written:
            found.add(unit)
    return found


def main() -> None:
    """Runs on the host."""
    arguments = {
        "units": {"type": "list", "elements": "str", "required": True},
        "files": {"type": "list", "elements": "path", "default": []},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    units = module.params["units"]
    found = {*stale_units(units), *behind_files(module, units, module.params["files"])}
    module.exit_json(changed=False, units=[unit for unit in units if unit in found])


if __name__ == "__main__":
    main()
