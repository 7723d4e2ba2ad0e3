"""The disk of one host: ``upper`` is written, ``layers/<n>`` are frozen; saving is a rename."""

import shutil
from pathlib import Path

from rollout.lab.record import Record


class Disk:
    """The layers in a host's folder. The host must be down for everything that changes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upper = folder / "upper"
        self.layers = folder / "layers"

    def prepare(self) -> None:
        """Makes the disk mountable, and finishes what an interrupted command left half done."""
        self.layers.mkdir(exist_ok=True)
        self._finish(Record.read(self.folder))
        for trash in (self.folder / "work", self.folder / "trash"):
            shutil.rmtree(trash, ignore_errors=True)
        for folder in (self.upper, self.folder / "work"):
            folder.mkdir(exist_ok=True)
            # The top folder of the writable layer is the host's "/".
            folder.chmod(0o755)

    def freeze(self) -> list[int]:
        """Turns what was written so far into a frozen layer; returns the whole stack, oldest first."""
        self.prepare()
        record = Record.read(self.folder)
        if any(self.upper.iterdir()):
            record.freezing = 1 + max(self._numbers(), default=0)
            record.write(self.folder)
            self.upper.rename(self.layers / str(record.freezing))
            self.prepare()
        return list(Record.read(self.folder).layers)

    def reset(self, layers: list[int]) -> None:
        """Goes back to a stack that ``freeze`` returned; what was written since is dropped."""
        self.prepare()
        record = Record.read(self.folder)
        record.layers = list(layers)
        record.discarding = True
        record.write(self.folder)
        self.prepare()

    def collect(self, saved: list[list[int]]) -> None:
        """Deletes frozen layers that neither the host nor any of the ``saved`` stacks uses."""
        used = set(Record.read(self.folder).layers).union(*saved)
        for number in self._numbers():
            if number not in used:
                shutil.rmtree(self.layers / str(number))

    def _numbers(self) -> list[int]:
        return [int(path.name) for path in self.layers.iterdir()] if self.layers.is_dir() else []

    def _finish(self, record: Record) -> None:
        if record.freezing is not None:
            if (self.layers / str(record.freezing)).is_dir():
                record.layers.append(record.freezing)
            record.freezing = None
            record.write(self.folder)
        if record.discarding:
            shutil.rmtree(self.folder / "trash", ignore_errors=True)
            if self.upper.is_dir():
                self.upper.rename(self.folder / "trash")
            record.discarding = False
            record.write(self.folder)
