"""Debian packages from the build machine's own sources, through a private state of apt.

The machine's ``/etc/apt`` sources are read and nothing of it is changed: lists, cache and dpkg status are
ours. The status is empty, so a solve gives the whole closure of a host (DESIGN §10).
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from rollout.errors import ConfigurationError
from rollout.release.stanza import Stanza, stanzas
from rollout.release.store import Store

# Where Debian publishes a suite's packages; backports and proposed updates are not part of a release.
_POCKETS = ("", "-updates", "-security")
_DOWNLOADS = 4

_CONF = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::GzipIndexes "false";
Acquire::Languages "none";
Dir::State "{root}/";
Dir::State::lists "{root}/lists/";
Dir::State::status "{root}/status";
Dir::State::extended_states "{root}/extended_states";
Dir::Cache "{root}/";
Dir::Cache::archives "{root}/archives/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::preferences "{root}/preferences";
Dir::Etc::preferencesparts "{root}/none/";
"""


@dataclass(frozen=True)
class Resolved:
    """One exact package of a solve, with what the signed index says about it."""

    name: str
    version: str
    architecture: str
    size: int
    sha256: str
    stanza: Stanza

    @property
    def basename(self) -> str:
        """The file's name in Debian's pool (without an epoch)."""
        return Path(self.stanza.get("Filename")).name


class Apt:
    """apt with its own state below ``root``, limited to packages of origin Debian."""

    def __init__(self, root: Path, suite: str, pins: dict[str, str] | None = None) -> None:
        self.root = root
        self.suite = suite
        self.pins = pins or {}
        self.architecture = self._run(["dpkg", "--print-architecture"]).strip()
        for name in ("lists/partial", "archives/partial", "none"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "status").write_text("", encoding="utf-8")
        (root / "apt.conf").write_text(
            _CONF.format(root=root, architecture=self.architecture), encoding="utf-8"
        )
        (root / "preferences").write_text(self._preferences(), encoding="utf-8")

    def update(self) -> None:
        """Fetches the indices of the machine's sources; a source that fails is an error, not a warning."""
        self._apt("apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")
        if not self.available:
            raise ConfigurationError(
                f"no package source of Debian {self.suite} on this machine",
                f"Add a source of {self.suite}, {self.suite}-updates and {self.suite}-security.",
            )
        for name, version in self.pins.items():
            offered = [stanza.version for stanza in self.available.get(name, [])]
            if version not in offered:
                raise ConfigurationError(
                    f"--pin {name}={version}: the sources do not serve that version",
                    f"They serve: {', '.join(offered) or 'no such package'}.",
                )

    @cached_property
    def available(self) -> dict[str, list[Stanza]]:
        """Every package of the allowed sources, by name."""
        found: dict[str, list[Stanza]] = {}
        codenames = {f"{self.suite}{pocket}" for pocket in _POCKETS}
        listing = self._apt(
            "apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(FILENAME)", "Created-By: Packages"
        )
        for line in listing.splitlines():
            origin, codename, file = line.split("|", 2)
            if origin == "Debian" and codename in codenames and Path(file).is_file():
                for stanza in stanzas(Path(file).read_text(encoding="utf-8")):
                    found.setdefault(stanza.name, []).append(stanza)
        return found

    def base(self) -> list[str]:
        """Names of every Essential or required package."""
        return sorted(name for name, versions in self.available.items() if any(v.base for v in versions))

    def solve(self, names: Iterable[str], what: str) -> dict[str, Resolved]:
        """The closure of ``names`` on an empty host, by name. ``what`` names the asker in errors."""
        wanted = sorted(set(names))
        unknown = [name for name in wanted if name not in self.available]
        if unknown:
            raise ConfigurationError(f"{what}: no such package in the sources: {', '.join(unknown)}")
        output = self._apt("apt-get", "-q", "-y", "--print-uris", "install", *wanted, what=what)
        lines = [line.split() for line in output.splitlines() if line.startswith("'")]
        return {found.name: found for found in (self._resolved(line[1], int(line[2])) for line in lines)}

    def download(
        self, debs: Iterable[Resolved], store: Store, progress: Callable[[int], None] = lambda _bytes: None
    ) -> None:
        """Brings what the store lacks, by apt's own transports; ``progress`` is told of bytes."""
        missing = []
        for deb in debs:
            if store.holds(deb.sha256):
                progress(deb.size)
            else:
                missing.append(deb)
        slices = [missing[start::_DOWNLOADS] for start in range(_DOWNLOADS)]
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            for part in [pool.submit(self._fetch, part, store, progress) for part in slices if part]:
                part.result()

    def _fetch(self, debs: list[Resolved], store: Store, progress: Callable[[int], None]) -> None:
        with tempfile.TemporaryDirectory(dir=store.root.parent, prefix="incoming-") as name:
            folder = Path(name)
            _give_to_apt(folder)
            self._apt("apt-get", "-q", "download", *(f"{d.name}={d.version}" for d in debs), folder=folder)
            files = {unquote(file.name): file for file in folder.glob("*.deb")}
            for deb in debs:
                file = files[f"{deb.name}_{deb.version}_{deb.architecture}.deb"]
                store.adopt(file, deb.sha256, f"{deb.name} {deb.version}")
                progress(deb.size)

    def _resolved(self, file: str, size: int) -> Resolved:
        name, version, architecture = unquote(file).removesuffix(".deb").split("_")
        for stanza in self.available.get(name, []):
            if stanza.version == version and int(stanza.get("Size")) == size:
                return Resolved(name, version, architecture, size, stanza.get("SHA256"), stanza)
        raise ConfigurationError(f"{name} {version}: apt chose it, but no allowed source lists it")

    def _preferences(self) -> str:
        pinned = [
            f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n"
            for name, version in sorted(self.pins.items())
        ]
        allowed = [
            f"Package: *\nPin: release o=Debian,n={self.suite}{pocket}\nPin-Priority: 500\n"
            for pocket in _POCKETS
        ]
        return "\n".join([*pinned, *allowed, "Package: *\nPin: release o=*\nPin-Priority: -1\n"])

    def _apt(self, program: str, *arguments: str, folder: Path | None = None, what: str = "") -> str:
        return self._run([program, "-c", str(self.root / "apt.conf"), *arguments], folder, what)

    @staticmethod
    def _run(argv: list[str], folder: Path | None = None, what: str = "") -> str:
        if shutil.which(argv[0]) is None:
            raise ConfigurationError(
                f"{argv[0]} is not on this machine", "A release is built on Debian or a relative of it."
            )
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(argv, capture_output=True, text=True, cwd=folder, env=environment, check=False)
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
            raise ConfigurationError(f"{what or argv[0]}: {' '.join(argv[:1])} failed:\n{said}")
        return done.stdout


def _give_to_apt(folder: Path) -> None:
    """Lets apt download as its unprivileged user where there is one."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        try:
            os.chown(folder, pwd.getpwnam("_apt").pw_uid, -1)
        except KeyError:
            return
