"""What a release consists of, resolved: exact packages and wheels, all of them in the store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rollout import hardware
from rollout.errors import ConfigurationError
from rollout.release import dists, wheels
from rollout.release.apt import Apt, Resolved
from rollout.release.spec import KINDS, Spec, System
from rollout.release.store import Store
from rollout.release.wheels import WheelFile

ROLLOUT = "rollout"


class Progress(Protocol):
    """Who watches a build."""

    def step(self, text: str) -> None:
        """A new step began."""

    def bytes(self, done: int, total: int) -> None:
        """So many bytes of this step's total are there."""


@dataclass(frozen=True)
class Sources:
    """Where a release comes from: the spec and, for tests and upgrades, what is set apart from it."""

    file: Path
    spec: Spec
    root: Path  # the clone
    pins: dict[str, str] = field(default_factory=dict)
    # By code; these replace the spec's entry, and their version is the one their project says.
    systems: dict[str, System] = field(default_factory=dict)


@dataclass(frozen=True)
class Debs:
    """The Debian side of a release."""

    architecture: str
    debs: dict[str, Resolved]
    packages: dict[str, list[str]]  # by kind
    model_packages: dict[str, list[str]]  # by model
    protected: set[str]

    def of_site(self) -> list[Resolved]:
        """What hosts of a site may install."""
        names = {*self.packages["minicomputer"], *self.packages["storage"]}
        names.update(name for more in self.model_packages.values() for name in more)
        return [self.debs[name] for name in sorted(names)]

    def of_control(self) -> list[Resolved]:
        """What a control node may install."""
        return [self.debs[name] for name in self.packages["control"]]


@dataclass(frozen=True)
class Wheels:
    """The Python side of a release."""

    platform: list[WheelFile]
    control: list[WheelFile]
    installer: WheelFile
    systems: dict[str, System]  # by dist

    def all(self) -> list[WheelFile]:
        """Every wheel once, by name."""
        found: dict[str, WheelFile] = {}
        for wheel in [*self.platform, *self.control, self.installer]:
            other = found.setdefault(wheel.name, wheel)
            if other != wheel:
                raise ConfigurationError(
                    f"{wheel.name}: the platform's requirements have {other.version} and the control node's "
                    f"{wheel.version}; a release has one version",
                    "Compile both requirements files with the same constraints.",
                )
        return sorted(found.values(), key=lambda wheel: wheel.name)


def collect(sources: Sources, cache: Path, progress: Progress) -> tuple[Debs, Wheels]:
    """Resolves and downloads everything; debs and wheels side by side."""
    store = Store(cache)
    with ThreadPoolExecutor(2) as pool:
        of_wheels = pool.submit(collect_wheels, sources, cache, store)
        debs = collect_debs(sources, cache, store, progress)
        progress.step("wheels")
        return debs, of_wheels.result()


def collect_debs(sources: Sources, cache: Path, store: Store, progress: Progress) -> Debs:
    """One solve per kind and per hardware model that adds packages."""
    spec = sources.spec
    apt = Apt(cache / "apt", spec.debian, sources.pins)
    progress.step("package indices")
    apt.update()
    progress.step("resolve")
    base = [*apt.base(), *spec.packages.base]
    asked = {kind: [*base, *getattr(spec.packages, kind)] for kind in KINDS}
    solved = {kind: apt.solve(names, f"{sources.file}: packages.{kind}") for kind, names in asked.items()}
    debs = {name: deb for found in solved.values() for name, deb in found.items()}
    models = {
        model.model: model for model in hardware.load_models(sources.root / "hardware" / "models").values()
    }
    model_packages: dict[str, list[str]] = {}
    protected = set(apt.base())
    for name, model in sorted(models.items()):
        found = {}
        if model.packages:
            where = f"hardware/models/{name}.yml: packages"
            found = apt.solve([*asked[model.kind], *model.packages], where)
        model_packages[name] = sorted(set(found) - set(solved[model.kind]))
        protected.update(model_packages[name])
        debs |= found
    protected.update(name for name in debs if name.startswith(("linux-image-", "firmware-")))
    progress.step("packages")
    total, done = sum(deb.size for deb in debs.values()), 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress.bytes(done, total)

    apt.download(debs.values(), store, count)
    packages: dict[str, list[str]] = {kind: sorted(found) for kind, found in solved.items()}
    return Debs(apt.architecture, debs, packages, model_packages, protected & set(debs))


def collect_wheels(sources: Sources, cache: Path, store: Store) -> Wheels:
    """Other people's wheels as pinned, our own built from the clone."""
    spec, root = sources.spec, sources.root
    systems = {system.code: system for system in spec.systems} | sources.systems
    own = {}
    for position, system in enumerate(systems.values()):
        wheel = dists.build(root / system.source, system.dist, store, cache)
        if system.version is not None and wheel.version != system.version:
            raise ConfigurationError(
                f"{sources.file}: systems[{position}].version: {system.version}, but {system.source} is "
                f"{system.dist} {wheel.version}",
                "Set the version in the release, or go back to the sources of that version.",
            )
        own[system.dist] = wheel
    tool = dists.build(root, ROLLOUT, store, cache)
    platform = wheels.fetch(root / spec.requirements.platform, cache, store)
    control = wheels.fetch(root / spec.requirements.control, cache, store)
    installer = wheels.fetch(wheels.INSTALLER, cache, store)[0]
    return Wheels(
        platform=[*platform, *own.values()],
        control=[*control, tool],
        installer=installer,
        systems={system.dist: system for system in systems.values()},
    )


def own_code(dist: str, systems: dict[str, System]) -> tuple[str | None, str | None]:
    """The system's code and edition of one of our dists; nothing for anybody else's."""
    system = systems.get(dist)
    return (system.code, system.edition) if system else (None, None)
