"""Looks at everything that an apply managed on a host: files, what patterns match, services."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from rollout.audit.probes import files


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What is there now.

    Args:
        question: ``paths``, ``patterns`` (as of a shell, ``**`` for any folders), ``units``, and ``sha1``:
            the paths whose SHA-1 is wanted too, because that is what Ansible reports.
    """
    matched = {p: sorted(map(str, Path("/").glob(p.lstrip("/")))) for p in question["patterns"]}
    paths = {*question["paths"], *(path for found in matched.values() for path in found)}
    return {
        "files": {path: files.look(path) for path in sorted(paths)},
        "patterns": matched,
        "sha1": {path: _sha1(path) for path in question["sha1"]},
        "units": {unit: _state(unit) for unit in question["units"]},
    }


def _sha1(path: str) -> str | None:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha1").hexdigest()
    except OSError:
        return None


def _state(unit: str) -> dict[str, Any]:
    """``active`` as systemd says it, and whether the unit ``lasts``: a oneshot that did its work is gone."""
    names = "ActiveState,Type,RemainAfterExit"
    done = subprocess.run(
        ["systemctl", "show", f"--property={names}", "--", unit], capture_output=True, text=True, check=False
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    passing = found.get("Type") == "oneshot" and found.get("RemainAfterExit") == "no"
    return {"active": found.get("ActiveState", "unknown"), "lasts": not passing}
