"""What a host must look like: by the release's manifest and wheels, and by the record of the last apply."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rollout.audit import contents, wheelfiles
from rollout.audit.build import Build
from rollout.audit.contents import Contents
from rollout.audit.facts import Wanted
from rollout.inventory import Host
from rollout.paths import Home
from rollout.record import HostRecord, ManagedFile, SiteRecord
from rollout.release.manifest import Deb, Wheel

# Always asked for if they are loaded, so that a host whose record was lost still shows what runs on it.
KNOWN_UNITS = (
    "etcd.service",
    "haproxy.service",
    "jincai-drop.service",
    "jincai@*.service",
    "keepalived.service",
    "nginx.service",
    "patroni.service",
)
_INSTANCE = re.compile(r"^jincai@\d+\.service$")


@dataclass(frozen=True)
class Environment:
    """The platform's virtual environment, the same on every host of a site."""

    wheels: dict[str, Wheel]  # by dist
    files: dict[str, dict[str, str]]  # by dist: path in site-packages → SHA-256

    @cached_property
    def owner(self) -> dict[str, str]:
        """Path in site-packages → the dist that it belongs to."""
        return {path: dist for dist, files in self.files.items() for path in files}

    @cached_property
    def all_files(self) -> dict[str, str]:
        """Path in site-packages → SHA-256, of all wheels."""
        return wheelfiles.merged(self.files.values())

    @cached_property
    def sha256(self) -> str:
        """``environment_sha256`` of ``/version``."""
        return wheelfiles.code_sha256(self.all_files)

    @cached_property
    def code(self) -> dict[str, str]:
        """``code_sha256`` of ``/version``, by dist, for our own."""
        return {
            dist: wheelfiles.code_sha256(self.files[dist])
            for dist, wheel in self.wheels.items()
            if wheel.system
        }


@dataclass(frozen=True)
class HostExpectation:
    """Everything that one host is held against."""

    host: Host
    build: Build
    packages: dict[str, Deb]
    environment: Environment
    # Before the first apply nothing is recorded, and no file or service is expected.
    record: HostRecord | None
    # --deep: what each package puts onto the host; None without it.
    contents: Mapping[str, Contents] | None = None

    @property
    def files(self) -> dict[str, ManagedFile]:
        """The files that roles manage."""
        return self.record.files if self.record else {}

    @property
    def services(self) -> dict[str, bool]:
        """Units that must be active → whether they must be enabled too."""
        return self.record.services if self.record else {}

    def instances(self, active: set[str]) -> list[str]:
        """The units of the platform's processes: those that must run and those that do."""
        return sorted(unit for unit in {*self.services, *active} if _INSTANCE.match(unit))


def wanted(host: Host, record: SiteRecord | None, contents: Mapping[str, Contents] | None = None) -> Wanted:
    """What the probes of a host are asked for; known before the release's wheels have been read."""
    own = record.hosts.get(host.name) if record else None
    files, services = (own.files, own.services) if own else ({}, {})
    packaged = {path for paths in (contents or {}).values() for path in paths}
    return Wanted(
        paths=sorted({*files, *packaged}),
        units=sorted({*services, *(_if_loaded(unit) for unit in KNOWN_UNITS if unit not in services)}),
        patroni=f"https://{host.address}:8008",
        record=f"/var/lib/rollout/records/{host.site}.json" if host.letter == "s" and not record else "",
    )


def _if_loaded(unit: str) -> str:
    """As a pattern: systemd gives what it has loaded of it, and does not search its folders for it first."""
    return unit.replace(".", "[.]")


def environment(build: Build, home: Home) -> Environment:
    """The platform's environment from the build's wheels."""
    wheels = build.manifest.platform_wheels()
    files = {
        name: wheelfiles.of_wheel(build.folder / wheel.file, wheel, home) for name, wheel in wheels.items()
    }
    return Environment(wheels, files)


class PackageExpectation:
    """The Debian side of a release: cheap to know, so it is there before any host is asked."""

    def __init__(self, build: Build, home: Home, *, deep: bool) -> None:
        self.build = build
        self._home, self.deep = home, deep
        self._made: dict[tuple[str, str], tuple[dict[str, Deb], Mapping[str, Contents] | None]] = {}

    def of(self, host: Host) -> tuple[dict[str, Deb], Mapping[str, Contents] | None]:
        """The packages of a host, and with ``deep`` their files; the same object for all hosts alike."""
        key = host.kind, host.model
        if key not in self._made:
            debs = self.build.manifest.debs_of(*key)
            folder = self.build.folder
            files = contents.of_debs(debs.values(), folder, self._home) if self.deep else None
            self._made[key] = debs, files
        return self._made[key]


def expectation(
    host: Host, packages: PackageExpectation, environment: Environment, record: SiteRecord | None
) -> HostExpectation:
    """Everything that one host is held against."""
    debs, files = packages.of(host)
    return HostExpectation(
        host=host,
        build=packages.build,
        packages=debs,
        environment=environment,
        record=record.hosts.get(host.name) if record else None,
        contents=files,
    )
