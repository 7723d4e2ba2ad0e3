"""Audits by a systemd timer of the control node: their reports are kept, and a finding fails the unit.

So whoever watches units, or looks at `rollout status` or `rollout audits`, sees it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollout.errors import ConfigurationError, RolloutError
from rollout.files import write

NAME = "rollout-audit"
FOLDER = Path("/etc/systemd/system")
_BOOTED = Path("/run/systemd/system")
_CALENDAR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_SECONDS = 60

_SERVICE = """\
# Written by `rollout audits schedule`; `rollout audits schedule --off` takes it away.
[Unit]
Description=Audit of what runs at every site
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
Environment=ROLLOUT_HOME={home} ROLLOUT_INVENTORY={inventory}
# 1: findings, 3: a host does not answer. Both leave the unit failed, which is what shows them.
ExecStart={program} audit --keep{sites}
TimeoutStartSec=15min
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths={home}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
"""
_TIMER = """\
# Written by `rollout audits schedule`; `rollout audits schedule --off` takes it away.
[Unit]
Description=When to audit every site

[Timer]
OnCalendar={when}
# Not all regions of a machine room at the same second; what a switched-off machine missed is made up for.
RandomizedDelaySec=5min
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Plan:
    """What is audited when; ``when`` is one of systemd's calendar events. No ``sites``: all."""

    home: Path
    inventory: Path
    sites: Sequence[str]
    when: str

    def units(self) -> dict[str, str]:
        """The units, file name → text. ConfigurationError if a path cannot stand in one."""
        program = Path(sys.executable).parent / "rollout"
        for path in (self.home, self.inventory, program):
            # systemd would read a blank as an end, % as its own.
            if re.search(r"[\s%\"'\\]", str(path)):
                raise ConfigurationError(f"{path}: cannot stand in a unit", "Use a path without such signs.")
        sites = "".join(f" --site {site}" for site in self.sites)
        return {
            f"{NAME}.service": _SERVICE.format(
                home=self.home, inventory=self.inventory, program=program, sites=sites
            ),
            f"{NAME}.timer": _TIMER.format(when=self.when),
        }


def when(daily: str) -> str:
    """The calendar event for ``HH:MM``, or for once an hour if there is none."""
    if not daily:
        return "hourly"
    if not _CALENDAR.fullmatch(daily):
        raise ConfigurationError(f"--daily {daily}: not a time of day", "Such as 02:00.")
    return f"*-*-* {daily}:00"


def start(plan: Plan, *, dry_run: bool) -> str:
    """Writes both units and starts the timer; what was done.

    Raises:
        ConfigurationError: systemd does not run here, or refuses the units; nothing is left then.
    """
    units = plan.units()
    if dry_run:
        return "\n".join(f"# {FOLDER / name}\n{text}" for name, text in units.items())
    _need_systemd()
    for name, text in units.items():
        write(FOLDER / name, text.encode(), 0o644)
    try:
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", f"{NAME}.timer")
    except RolloutError:
        stop(dry_run=False)
        raise
    return state()


def stop(*, dry_run: bool) -> str:
    """Takes timer and service away; what was done."""
    there = [FOLDER / f"{NAME}.{end}" for end in ("timer", "service") if (FOLDER / f"{NAME}.{end}").is_file()]
    if not there:
        return "no audit is scheduled here"
    if dry_run:
        return "\n".join(f"would remove {file}" for file in there)
    if _BOOTED.is_dir():
        _systemctl("disable", "--now", f"{NAME}.timer")
    for file in there:
        file.unlink()
    if _BOOTED.is_dir():
        _systemctl("daemon-reload")
    return "no audit is scheduled here any more"


def state() -> str:
    """When it audits next, and how the last one ended."""
    if not (FOLDER / f"{NAME}.timer").is_file():
        return "no audit is scheduled here: rollout audits schedule --daily 02:00"
    _need_systemd()
    timer = _shown(f"{NAME}.timer", "NextElapseUSecRealtime")
    service = _shown(f"{NAME}.service", "ExecMainExitTimestamp", "ExecMainStatus", "Result")
    lines = [f"next audit: {timer['NextElapseUSecRealtime'] or 'unknown'}"]
    if service["ExecMainExitTimestamp"]:
        said = {"0": "uniform", "1": "findings", "3": "a host did not answer"}
        status = service["ExecMainStatus"]
        lines.append(f"last audit: {service['ExecMainExitTimestamp']}: {said.get(status, f'exit {status}')}")
    return "\n".join(lines)


def _shown(unit: str, *names: str) -> dict[str, str]:
    said = _systemctl("show", unit, *(f"--property={name}" for name in names))
    found = dict(line.partition("=")[::2] for line in said.splitlines())
    return {name: found.get(name, "") for name in names}


def _need_systemd() -> None:
    if not _BOOTED.is_dir() or os.geteuid() != 0:
        raise ConfigurationError(
            "timers need root and a machine that systemd runs",
            "Print the units with --dry-run, or call `rollout audit --keep` from another scheduler.",
        )


def _systemctl(*words: str) -> str:
    done = subprocess.run(
        ["systemctl", *words], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise ConfigurationError(f"systemctl {' '.join(words)}: {done.stderr.strip()[-300:]}")
    return done.stdout
