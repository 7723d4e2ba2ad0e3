"""What people said and inspections found: appended to ``$ROLLOUT_HOME/progress/``, never changed."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rollout.errors import ConfigurationError, VerificationError
from rollout.files import locked
from rollout.paths import Home
from rollout.progress.facts import Entry

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_MOST_BYTES = 64 * 1024 * 1024
_MOST_LINES = 200_000


class Ledger:
    """One JSON line an entry; attachments beside it, each under its SHA-256."""

    def __init__(self, home: Home) -> None:
        self.folder = home.root / "progress"
        self.file = self.folder / "ledger.jsonl"

    def read(self) -> list[Entry]:
        """All entries, in order. VerificationError names the line that is damaged."""
        if not self.file.is_file():
            return []
        entries = []
        for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                entries.append(_ENTRY.validate_json(line))
            except ValidationError as error:
                raise VerificationError(
                    f"{self.file}:{number}: {error.errors()[0]['msg']}",
                    "Somebody changed it by hand; bring it back with `rollout state import`.",
                ) from error
        return entries

    def add(self, entries: Sequence[Entry]) -> None:
        """Appends them, all on the disk when it returns."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.folder):
            if len(self.read()) + len(entries) > _MOST_LINES:
                raise ConfigurationError(f"{self.file}: {_MOST_LINES} entries are enough")
            with self.file.open("a", encoding="utf-8") as stream:
                stream.writelines(_ENTRY.dump_json(entry).decode() + "\n" for entry in entries)
                stream.flush()
                os.fsync(stream.fileno())

    def attach(self, file: Path) -> str:
        """Keeps a copy of a file; its SHA-256."""
        try:
            size = file.stat().st_size
            if not file.is_file() or not 0 < size <= _MOST_BYTES:
                raise ConfigurationError(f"{file}: not a file of 1 byte to {_MOST_BYTES >> 20} MiB")
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            folder = self.folder / "files"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(file, folder / digest)
        except OSError as error:
            raise ConfigurationError(f"{file}: {error.strerror}") from error
        return digest

    def damaged(self, entries: Sequence[Entry]) -> list[str]:
        """Attachments that are gone or changed."""
        wanted = {entry.sha256: entry.file for entry in entries if entry.kind == "statement"}
        return [name for digest, name in wanted.items() if self._digest(digest) != digest]

    def _digest(self, name: str) -> str:
        try:
            with (self.folder / "files" / name).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return ""
