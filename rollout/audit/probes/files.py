"""Paths that a role or a package put there: type, content, mode, owner."""

from __future__ import annotations

import grp
import os
import pwd
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_users: dict[int, str] = {}
_groups: dict[int, str] = {}


def _user(uid: int) -> str:
    if uid not in _users:
        try:
            _users[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            _users[uid] = str(uid)
    return _users[uid]


def _group(gid: int) -> str:
    if gid not in _groups:
        try:
            _groups[gid] = grp.getgrgid(gid).gr_name
        except KeyError:
            _groups[gid] = str(gid)
    return _groups[gid]


def sha256(path: str | bytes) -> str:
    """The digest of a regular file; a fifo or device is never opened by the callers."""
    import hashlib

    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def look(path: str) -> dict[str, Any] | None:
    """What is at ``path`` itself (a link is not followed), or None when nothing is."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    found: dict[str, Any] = {
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": _user(status.st_uid),
        "group": _group(status.st_gid),
    }
    try:
        if stat.S_ISREG(status.st_mode):
            found |= {"type": "file", "sha256": sha256(path)}
        elif stat.S_ISLNK(status.st_mode):
            found |= {"type": "link", "target": os.readlink(path)}
        else:
            found["type"] = "directory" if stat.S_ISDIR(status.st_mode) else "other"
    except OSError as error:
        found |= {"type": "other", "error": str(error)}
    return found


def collect(paths: list[str]) -> dict[str, dict[str, Any] | None]:
    """Every path asked for."""
    return {path: look(path) for path in paths}
