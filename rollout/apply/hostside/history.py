"""Adds to, or reads, the site's own list of runs on its ``s``: lines are added, the oldest make room."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

LINES_MOST = 4000
LINE_BYTES = 4000


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The newest lines, after ``add`` was added.

    Args:
        question: ``folder``; ``add``: entries to add; ``newest``: how many lines to answer with.

    Returns:
        ``lines``, oldest first.
    """
    folder = Path(question["folder"])
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    file = folder / "history.jsonl"
    lock = os.open(folder / "history.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = _read(file)
        if question["add"]:
            new = [json.dumps(entry, ensure_ascii=False, sort_keys=True) for entry in question["add"]]
            _add(file, lines, [line for line in new if len(line.encode()) <= LINE_BYTES])
            lines = _read(file)
    finally:
        os.close(lock)
    newest = question["newest"]
    return {"lines": lines[-newest:] if newest else []}


def _read(file: Path) -> list[str]:
    # The last line of a host that lost power may be a half one: it is no line.
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    return [line for line in text[: text.rfind("\n") + 1].splitlines() if line]


def _add(file: Path, lines: list[str], new: list[str]) -> None:
    if len(lines) + len(new) > LINES_MOST:
        # A quarter at once, so that the file is rarely written anew.
        kept = "".join(f"{line}\n" for line in lines[LINES_MOST // 4 :])
        temporary = file.with_name("history.new")
        temporary.write_text(kept, encoding="utf-8")
        temporary.chmod(0o644)
        temporary.replace(file)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
        if stream.tell() and not file.read_bytes().endswith(b"\n"):
            stream.write("\n")
        stream.write("".join(f"{line}\n" for line in new))
        stream.flush()
        os.fsync(stream.fileno())
