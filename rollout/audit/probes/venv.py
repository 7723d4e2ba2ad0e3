"""The platform's virtual environment: every file in it, whether or not anything lists it."""

from __future__ import annotations

import os

from rollout.audit.probes import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
                    found[_printable(path)] = f"-> {os.readlink(entry.path)}"
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


def _dists(site_packages: str) -> list[tuple[str, str, str]]:
    dists = []
    for folder in sorted(os.listdir(site_packages)):
        if folder.endswith((".dist-info", ".egg-info")):
            try:
                with open(f"{site_packages}/{folder}/METADATA", encoding="utf-8") as file:
                    name, version = parse_metadata(file.read())
            except (OSError, UnicodeDecodeError):
                name = version = ""
            dists.append((name, version, _printable(folder)))
    return dists


def _site_packages(root: str) -> str:
    """Where the dists are, below the environment's root; empty when there is no such folder."""
    libraries = sorted(os.listdir(f"{root}/lib")) if os.path.isdir(f"{root}/lib") else []
    found = [f"lib/{name}/site-packages" for name in libraries]
    return next((path for path in found if os.path.isdir(f"{root}/{path}")), "")


def collect(link: str) -> dict[str, Any] | None:
    """The environment behind ``link``, or None when there is none."""
    root = os.path.realpath(link)
    if not os.path.isdir(root):
        return None
    site_packages = _site_packages(root)
    return {
        "root": root,
        "site_packages": site_packages,
        "files": walk(root),
        "dists": _dists(f"{root}/{site_packages}") if site_packages else [],
    }
