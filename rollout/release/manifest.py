"""The manifest of a release build: every file of the depot with its version and checksum.

A release *is* its name + serial + manifest sha256 (DESIGN §4). Versions exist nowhere else.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _below(path: str) -> str:
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError(f"{path}: must stay below the build's folder")
    return path


# A path below the build's folder; never absolute, never climbing.
DepotPath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.+~:/%-]+$", max_length=300), AfterValidator(_below)
]
ReleaseName = Annotated[str, StringConstraints(pattern=r"^\d{4}\.\d{1,3}$")]

NAME = "manifest.json"
SIGNATURE = "manifest.json.asc"


class Deb(BaseModel):
    """One exact Debian package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    architecture: str
    file: DepotPath
    size: int
    sha256: Sha256
    protected: bool = False  # essential, required, kernel, firmware or model package: never removed


class Wheel(BaseModel):
    """One exact Python wheel. ``system`` is the access system's code (or ``jincai``) for our own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str  # normalised: lower case, dashes
    version: str
    file: DepotPath
    size: int
    sha256: Sha256
    system: str | None = None
    edition: str | None = None


class Index(BaseModel):
    """Any other file of the depot: the apt repository's indices, the public key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: DepotPath
    size: int
    sha256: Sha256


class Manifest(BaseModel):
    """``manifest.json``; signed as a whole by ``manifest.json.asc``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    release: ReleaseName
    serial: Annotated[int, Field(ge=1)]
    suite: str  # the apt suite inside the depot, e.g. "2026.1"
    debs: list[Deb]
    wheels: list[Wheel]
    indices: list[Index]
    # Debian package names by what a host is: "minicomputer", "storage", "control".
    packages: dict[str, list[str]]
    # Debian package names that a hardware model adds, by model.
    model_packages: dict[str, list[str]]
    # Wheel names of the platform's virtual environment, and of the control node's.
    platform: list[str]
    control: list[str]
    # The wheel that installs the others on a host (run from its file; part of no environment).
    installer: str = "pip"

    @property
    def build(self) -> str:
        """The build's folder name: ``<release>-<serial>``."""
        return f"{self.release}-{self.serial}"

    def debs_of(self, kind: str, model: str | None = None) -> dict[str, Deb]:
        """The exact packages of a host: those of its kind and of its hardware model, by name."""
        names = {*self.packages[kind], *self.model_packages.get(model or "", [])}
        return {deb.name: deb for deb in self.debs if deb.name in names}

    def platform_wheels(self) -> dict[str, Wheel]:
        """The wheels of the platform's virtual environment, by name."""
        wanted = set(self.platform)
        return {wheel.name: wheel for wheel in self.wheels if wheel.name in wanted}

    def systems(self) -> list[Wheel]:
        """Our own dists that run in a city: the platform first, then the access systems by code."""
        own = [wheel for wheel in self.platform_wheels().values() if wheel.system]
        return sorted(own, key=lambda wheel: (wheel.system != "jincai", wheel.system or ""))

    def files(self) -> dict[str, Deb | Wheel | Index]:
        """Every file of the depot by its path, the manifest and its signature excepted."""
        entries: list[Deb | Wheel | Index] = [*self.debs, *self.wheels, *self.indices]
        return {entry.file: entry for entry in entries}

    def text(self) -> str:
        """The canonical text: what is signed and hashed, the same on every machine."""
        return self.model_dump_json(indent=1) + "\n"

    def sha256(self) -> str:
        """The digest of the canonical text."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @staticmethod
    def read(folder: Path) -> "Manifest":
        """The manifest in a build's folder; rollout.release.verify has verified its signature."""
        return Manifest.model_validate_json((folder / NAME).read_bytes())
