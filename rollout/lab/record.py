"""What the lab remembers of a host on disk."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Self

# Facts that end with a boot of this machine: processes, locks, who a site belongs to.
RUN = Path("/run/rollout-lab")


def write_whole(file: Path, text: str) -> None:
    """Replaces ``file`` in one step."""
    partial = file.with_name(f".{file.name}.new")
    partial.write_text(text, encoding="utf-8")
    partial.rename(file)


@dataclass
class Record:
    """``host.json``: who the host is, and the frozen layers of its disk, oldest first.

    ``freezing`` and ``discarding`` say what is being done with the writable layer, so that an interrupted
    command is finished by the next one.
    """

    name: str
    address: IPv4Address
    network: IPv4Network
    base: str
    layers: list[int]
    freezing: int | None = None
    discarding: bool = False

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record in a host's folder; raises FileNotFoundError for a host that is not complete."""
        data = json.loads((folder / "host.json").read_text(encoding="utf-8"))
        addresses = {"address": IPv4Address(data["address"]), "network": IPv4Network(data["network"])}
        return cls(**{**data, **addresses})

    def write(self, folder: Path) -> None:
        """Makes the record the host's."""
        data = {**vars(self), "address": str(self.address), "network": str(self.network)}
        write_whole(folder / "host.json", json.dumps(data, indent=1) + "\n")
