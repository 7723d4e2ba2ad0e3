"""The packages that dpkg has on record, from its status file: no process needed, 10 ms."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

STATUS = Path("/var/lib/dpkg/status")
_WANTED = {"Package", "Version", "Architecture", "Status", "Essential", "Priority"}


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if not line:
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            if name in _WANTED:
                fields[name] = value.strip()
    if fields:
        yield fields


def parse_status(text: str) -> list[dict[str, Any]]:
    """One entry a package: name, version, architecture, dpkg's selection, flag and state, protected or not.

    A package that was removed and left its conffiles is kept; its state says so.
    """
    packages = []
    for fields in _paragraphs(text):
        want, flag, state = [*fields.get("Status", "").split(), "", "", ""][:3]
        packages.append(
            {
                "name": fields.get("Package", ""),
                "version": fields.get("Version", ""),
                "architecture": fields.get("Architecture", ""),
                "want": want,
                "flag": flag,
                "state": state,
                "essential": fields.get("Essential") == "yes" or fields.get("Priority") == "required",
            }
        )
    return packages


def collect(status: Path = STATUS) -> list[dict[str, Any]]:
    """Every package of this host."""
    return parse_status(status.read_text(encoding="utf-8", errors="replace"))
