"""Files by their SHA-256: what was downloaded once is hard-linked into every later build."""

import hashlib
import os
import shutil
from pathlib import Path

from rollout.errors import VerificationError

_CHUNK = 1024 * 1024


def sha256_file(path: Path) -> str:
    """The digest of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for ``source``; a copy where the file systems differ."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Store:
    """``cache/sha256/``. ``holds`` hashes, so damage is never handed on."""

    def __init__(self, cache: Path) -> None:
        self.root = cache / "sha256"
        self.root.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the file with this digest is, or would be."""
        return self.root / sha256[:2] / sha256

    def holds(self, sha256: str) -> bool:
        """Whether the file is there and intact; a damaged one is dropped."""
        path = self.path(sha256)
        if not path.is_file():
            return False
        if sha256_file(path) == sha256:
            return True
        path.unlink()
        return False

    def adopt(self, file: Path, sha256: str, name: str) -> None:
        """Takes ``file`` in (it is moved), if it is what it should be."""
        found = sha256_file(file)
        if found != sha256:
            raise VerificationError(
                f"{name}: sha256 is {found}, expected {sha256}",
                "The source served something else than its signed index says; try again.",
            )
        self.add(file, sha256)

    def add(self, file: Path, sha256: str | None = None) -> str:
        """Takes ``file`` in (it is moved) under its own digest, which is returned."""
        digest = sha256 or sha256_file(file)
        target = self.path(digest)
        target.parent.mkdir(exist_ok=True)
        file.chmod(0o444)
        try:
            file.replace(target)
        except OSError:
            shutil.copy2(file, target)
        return digest

    def place(self, sha256: str, target: Path) -> None:
        """Puts the file at ``target`` as a hard link."""
        link_or_copy(self.path(sha256), target)
