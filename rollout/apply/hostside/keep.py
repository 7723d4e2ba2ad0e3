"""Keeps and shows the site's signed record on its ``s``."""

import os
from pathlib import Path
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Writes ``files`` (name → text) durably into ``folder`` and returns what is there of ``names``."""
    folder = Path(question["folder"])
    for name, text in question["files"].items():
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary = folder / f"{name}.new"
        with temporary.open("w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(folder / name)
    names = [folder / name for name in question["names"]]
    return {file.name: file.read_text() for file in names if file.is_file()}
