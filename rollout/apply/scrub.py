"""Keeps secrets out of logs and messages, also where a role or Ansible forgot to."""

from collections.abc import Iterable
from pathlib import Path

HIDDEN = "[secret]"
_SHORTEST = 6


class Scrubber:
    """Replaces a site's secrets; a key in several lines is known by each of them, as logs may fold it."""

    def __init__(self, values: Iterable[str]) -> None:
        lines = {line.strip() for value in values for line in value.splitlines()}
        kept = {line for line in lines if len(line) >= _SHORTEST and not line.startswith("-----")}
        self._secrets = sorted(kept, key=len, reverse=True)

    def text(self, text: str) -> str:
        """``text`` without any of them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def folder(self, folder: Path) -> list[Path]:
        """Rewrites the files below ``folder`` that hold any; which ones."""
        wanted = [secret.encode() for secret in self._secrets]
        found = []
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                if any(secret in content for secret in wanted):
                    for secret in wanted:
                        content = content.replace(secret, HIDDEN.encode())
                    file.write_bytes(content)
                    found.append(file)
        return found
