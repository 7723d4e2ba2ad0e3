"""Takes, reads, releases and removes a site's lease on its ``s``."""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """One verb on the lease, under a lock that the kernel drops if this process dies.

    Args:
        question: ``verb`` (take, read, release, remove), ``folder``, the new ``lease``, and ``expected``:
            the run whose lease may be replaced or released (None: only a free one may be taken).

    Returns:
        ``done``, and ``lease``: the one that is there now, or None.
    """
    folder = Path(question["folder"])
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.open(folder / "lease.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        return _under_lock(question, folder)
    finally:
        os.close(lock)


def _under_lock(question: dict[str, Any], folder: Path) -> dict[str, Any]:
    file = folder / "lease.json"
    there = _read(file)
    mine = (there or {}).get("run") == question["expected"]
    if question["verb"] == "take" and mine:
        _write(file, question["lease"])
        return {"done": True, "lease": question["lease"]}
    if question["verb"] == "remove" or (question["verb"] == "release" and mine):
        file.unlink(missing_ok=True)
        _sync(folder)
        return {"done": bool(there), "lease": None}
    return {"done": question["verb"] == "read", "lease": there}


def _read(file: Path) -> dict[str, Any] | None:
    if not file.exists():
        return None
    try:
        lease: dict[str, Any] = json.loads(file.read_text())
    except ValueError:  # a disk's fault, never ours; it keeps the site locked until a person looks
        return {"run": "unreadable"}
    return lease


def _write(file: Path, lease: dict[str, Any]) -> None:
    temporary = file.with_name("lease.new")
    with suppress(FileNotFoundError):  # of one who died in here
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(lease, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
