"""The platform's virtual environment: every file in it, whether or not anything lists it."""

import os
from pathlib import Path
from typing import Any

from rollout.audit.probes import files


def parse_metadata(text: str) -> tuple[str, str]:
    """Name and version from a dist's METADATA; empty where it has none."""
    name = version = ""
    for line in text.split("\n"):
        if not line.strip():
            break
        key, _, value = line.partition(":")
        if key == "Name":
            name = value.strip()
        elif key == "Version":
            version = value.strip()
    return name, version


def walk(top: str) -> dict[str, str]:
    """Everything below ``top`` but folders: path → sha256, ``-> target`` of a link, or ``other``.

    Links to folders are not entered: they are entries of their own.
    """
    found: dict[str, str] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    found[_printable(path)] = f"-> {Path(entry.path).readlink()}"
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_file(follow_symlinks=False):
                    found[_printable(path)] = files.sha256(entry.path)
                else:
                    found[_printable(path)] = "other"
    return found


def _printable(path: str) -> str:
    """A name that is not UTF-8 must not break the report."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _dists(site_packages: Path) -> list[tuple[str, str, str]]:
    dists = []
    for folder in sorted(site_packages.iterdir()):
        if folder.name.endswith((".dist-info", ".egg-info")):
            try:
                name, version = parse_metadata((folder / "METADATA").read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                name = version = ""
            dists.append((name, version, _printable(folder.name)))
    return dists


def collect(link: str) -> dict[str, Any] | None:
    """The environment behind ``link``, or None when there is none."""
    root = Path(link).resolve()
    if not root.is_dir():
        return None
    libraries = sorted(path for path in root.glob("lib/*/site-packages") if path.is_dir())
    return {
        "root": str(root),
        "site_packages": str(libraries[0].relative_to(root)) if libraries else "",
        "files": walk(str(root)),
        "dists": _dists(libraries[0]) if libraries else [],
    }
