"""The state of systemd units, by one ``systemctl show`` for all of them."""

from __future__ import annotations

from rollout.audit.probes import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "MainPID",
    "NRestarts",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
)


def parse_show(text: str) -> dict[str, dict[str, str]]:
    """Unit name → properties, from the blank-line separated output of ``systemctl show``."""
    units = {}
    for block in text.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if properties.get("Id"):
            units[properties["Id"]] = properties
    return units


def collect(names: list[str], timeout: float) -> dict[str, Any]:
    """The units named; a pattern such as ``jincai@*.service`` gives those that are loaded."""
    if not names:
        return {}
    command = ["systemctl", "show", "--no-pager", f"--property={','.join(PROPERTIES)}", "--", *names]
    return parse_show(program.output(command, timeout))
