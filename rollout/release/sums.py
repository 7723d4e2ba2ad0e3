"""``SHA256SUMS``: the build's files for ``sha256sum --check`` on a host that has no rollout yet."""

from collections.abc import Iterable
from typing import Protocol

from rollout.release.layout import SUMS, SUMS_SIGNATURE


class Entry(Protocol):
    """Anything of a manifest."""

    @property
    def file(self) -> str:
        """The path in the build."""

    @property
    def sha256(self) -> str:
        """The digest."""


def text(entries: Iterable[Entry]) -> bytes:
    """One line per file of the build, this file, its signature and the manifest excepted."""
    listed = {entry.file: entry.sha256 for entry in entries if entry.file not in {SUMS, SUMS_SIGNATURE}}
    return "".join(f"{digest}  {file}\n" for file, digest in sorted(listed.items())).encode()
