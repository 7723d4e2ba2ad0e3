"""Debian control data: the stanzas of a Packages index."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Stanza:
    """One package of a Packages index; ``text`` is the stanza without its closing blank line."""

    text: str

    def get(self, field: str) -> str:
        """A field's first line, or the empty string."""
        marker = f"\n{field}: "
        found = f"\n{self.text}".partition(marker)[2]
        return found.partition("\n")[0].strip()

    @property
    def name(self) -> str:
        """The package's name."""
        return self.get("Package")

    @property
    def version(self) -> str:
        """The exact version, with its epoch."""
        return self.get("Version")

    @property
    def base(self) -> bool:
        """Whether every Debian system has it: Essential or Priority required."""
        return self.get("Essential") == "yes" or self.get("Priority") == "required"

    def moved(self, file: str) -> str:
        """The stanza with another ``Filename`` and, of the checksums, SHA256 only."""
        kept = [
            f"Filename: {file}" if line.startswith("Filename: ") else line
            for line in self.text.splitlines()
            if not line.startswith(("MD5sum: ", "SHA1: ", "SHA512: "))
        ]
        return "\n".join(kept)


def stanzas(text: str) -> Iterator[Stanza]:
    """The stanzas of an index, in its order."""
    for block in text.split("\n\n"):
        stripped = block.strip("\n")
        if stripped:
            yield Stanza(stripped)
