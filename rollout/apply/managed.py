"""What a run managed, host by host: the lines of the ``managed`` callback, put together in their order."""

import glob
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Managed:
    """One host's. ``files``: path → the SHA-1 that Ansible wrote, or None where it did not say."""

    files: dict[str, str | None] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    services: dict[str, bool] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """One line; a later one about the same thing counts more."""
        if "unit" in line:
            self._service(line)
        elif line.get("removed"):
            self._removed(line["path"])
        elif line["content"] == "declared" and glob.has_magic(line["path"]):
            self.patterns.add(line["path"])
        elif line["content"] == "written":
            self.files[line["path"]] = line.get("sha1")
        elif line["content"] == "edited":
            self.files[line["path"]] = None  # another task's checksum of it no longer holds
        else:
            self.files.setdefault(line["path"])

    def _removed(self, path: str) -> None:
        below = path.rstrip("/") + "/"
        self.files = {p: sha1 for p, sha1 in self.files.items() if p != path and not p.startswith(below)}

    def _service(self, line: dict[str, Any]) -> None:
        unit, enabled = line["unit"], line.get("enabled")
        if line.get("removed"):
            self.services.pop(unit, None)
        elif line.get("only") == "enabled":
            if unit in self.services:  # not enabled says nothing about whether it must run
                self.services[unit] = False
        elif enabled is None:
            self.services.setdefault(unit, False)
        else:
            self.services[unit] = enabled


def put_together(lines: Iterable[str]) -> dict[str, Managed]:
    """Host → what was managed there."""
    hosts: dict[str, Managed] = {}
    for text in lines:
        line = json.loads(text)
        hosts.setdefault(line["host"], Managed()).add(line)
    return hosts


def read(file: Path) -> dict[str, Managed]:
    """From the file that the callback wrote; empty if there is none."""
    if not file.exists():
        return {}
    return put_together(file.read_text(encoding="utf-8").splitlines())
