"""``known_hosts`` files: which host keys are known, under which names."""

import fcntl
from pathlib import Path


def merge(text: str, names: list[str], key: str | None) -> str:
    """A known_hosts text in which ``names`` have exactly ``key`` (None: nothing); other lines stay."""
    taken = set(names)
    kept = [line for line in text.splitlines() if not taken & set(line.split(" ", 1)[0].split(","))]
    return "".join(f"{line}\n" for line in [*kept, *([f"{','.join(names)} {key}"] if key else [])])


def remember(file: Path, names: list[str], key: str | None) -> None:
    """Brings ``file`` to what `merge` says, safely against other writers."""
    with file.with_name(f".{file.name}.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        after = merge(before, names, key)
        if after != before:
            partial = file.with_name(f".{file.name}.new")
            partial.write_text(after, encoding="utf-8")
            partial.rename(file)
