"""What people write: ``releases/<release>.yml``. Series and our own versions, never a package's version."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rollout import inventory
from rollout.errors import ConfigurationError
from rollout.hardware import PackageName
from rollout.paths import content
from rollout.release.manifest import ReleaseName

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,30}$")]
DistName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*([a-z0-9.+]*)$")]

# What a host is to a release: a kind of the inventory, or a control node.
Kind = inventory.HostKind | Literal["control"]
KINDS: tuple[Kind, ...] = ("minicomputer", "storage", "control")

PLATFORM = "jincai"


class System(BaseModel):
    """One of our own dists that run in a city: the platform or an access system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    dist: DistName
    # None only for a dist given on the command line: its own pyproject.toml says the version.
    version: Version | None
    source: str

    @property
    def standard_dist(self) -> str:
        """The dist of the standard edition: ``jincai`` or ``jincai-<code>``."""
        return PLATFORM if self.code == PLATFORM else f"{PLATFORM}-{self.code.replace('_', '-')}"

    @property
    def edition(self) -> str | None:
        """What follows the standard dist's name; None for the standard edition (DESIGN §7)."""
        return self.dist.removeprefix(self.standard_dist).removeprefix("-") or None

    @model_validator(mode="after")
    def _dist_fits_code(self) -> Self:
        fits = self.dist == self.standard_dist or (
            self.code != PLATFORM and self.dist.startswith(f"{self.standard_dist}-")
        )
        if not fits:
            raise ValueError(
                f"dist {self.dist} must be {self.standard_dist} or {self.standard_dist}-<edition>"
            )
        return self


class Packages(BaseModel):
    """Debian packages that people ask for, by what a host is. ``base`` is on every host of a site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: Annotated[list[PackageName], Field(min_length=1)]
    minicomputer: list[PackageName]
    storage: list[PackageName]
    control: list[PackageName]


class Requirements(BaseModel):
    """Requirements files with hashes, relative to the clone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: str
    control: str


class Spec(BaseModel):
    """``releases/<release>.yml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    release: ReleaseName
    debian: Literal["bookworm"]
    packages: Packages
    requirements: Requirements
    systems: list[System]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Self:
        codes = [system.code for system in self.systems]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"systems: {', '.join(twice)} appears more than once; a code has one edition")
        return self


def find_spec(release: str, root: Path | None = None) -> Path:
    """The file of a release: ``2026.1`` in releases/, or the path of a .yml file itself."""
    if release.endswith((".yml", ".yaml")):
        return Path(release)
    return (root or content()) / "releases" / f"{release}.yml"


def load_spec(file: Path) -> Spec:
    """The release that people wrote; every problem is reported at once, naming file and key."""
    if not file.is_file():
        others = sorted(path.stem for path in file.parent.glob("*.yml"))
        raise ConfigurationError(f"{file}: no such release", f"There is: {', '.join(others) or 'none'}.")
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{file}: expected a mapping at the top")
    spec = _judge(document, file)
    if file.stem != spec.release and file.parent.name == "releases":
        raise ConfigurationError(f"{file}: release: {spec.release} must be the file's name")
    return spec


def _judge(document: dict[str, Any], file: Path) -> Spec:
    try:
        return Spec.model_validate(document)
    except ValidationError as error:
        problems = [f"{file}: {_key(item['loc'])}{item['msg']}" for item in error.errors()]
        raise ConfigurationError("the release is refused:\n  " + "\n  ".join(problems)) from error


def _key(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{text.removeprefix('.')}: " if text else ""
