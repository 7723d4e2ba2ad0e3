"""Wheels from requirements files with hashes, for the Python of the hosts (not the build machine's)."""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rollout.errors import ConfigurationError
from rollout.release.store import Store

# Debian 12: Python 3.11, glibc 2.36. A wheel for a newer glibc would not load on a host.
_PYTHON = "3.11"
_ABI = "cp311"
_GLIBC_MINOR = range(36, 16, -1)

INSTALLER = Path(__file__).with_name("installer.txt")
_FILE_NAME = re.compile(r"^(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)(-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl$")


@dataclass(frozen=True)
class WheelFile:
    """One wheel in the store."""

    name: str  # normalised
    version: str
    file: str
    size: int
    sha256: str


class Pinned(Protocol):
    """Anything that says exactly which wheel it is."""

    @property
    def name(self) -> str:
        """The normalised name."""

    @property
    def version(self) -> str:
        """The exact version."""

    @property
    def sha256(self) -> str:
        """The digest of the file."""


def normalised(name: str) -> str:
    """A dist's name as indices compare it: lower case, single dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def describe(file_name: str, size: int, sha256: str) -> WheelFile:
    """What a wheel's file name says about it."""
    found = _FILE_NAME.match(file_name)
    if found is None:
        raise ConfigurationError(f"{file_name}: not a wheel's file name")
    return WheelFile(normalised(found["name"]), found["version"], file_name, size, sha256)


def fetch(requirements: Path, cache: Path, store: Store) -> list[WheelFile]:
    """The wheels of a requirements file, by name; nothing is asked of the network if the store has them."""
    if not requirements.is_file():
        raise ConfigurationError(f"{requirements}: no such requirements file")
    target = [argument for minor in _GLIBC_MINOR for argument in ("--platform", _tag(minor))]
    key = hashlib.sha256(requirements.read_bytes() + " ".join(target).encode()).hexdigest()
    listing = cache / "wheels" / f"{key}.json"
    listed = _listed(listing)
    if listed and all(store.holds(wheel.sha256) for wheel in listed):
        return listed
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as folder:
        _pip_download(requirements, Path(folder), target)
        files = [(file, file.stat().st_size) for file in Path(folder).glob("*.whl")]
        found = [describe(file.name, size, store.add(file)) for file, size in files]
    found.sort(key=lambda wheel: wheel.name)
    listing.parent.mkdir(exist_ok=True)
    listing.write_text(json.dumps([vars(wheel) for wheel in found]), encoding="utf-8")
    return found


def requirements_text(wheels: Iterable[Pinned]) -> str:
    """``name==version --hash=sha256:…`` for each wheel: what pip checks on a host before it installs."""
    ordered = sorted(wheels, key=lambda wheel: wheel.name)
    return "".join(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in ordered)


def _tag(minor: int) -> str:
    return f"manylinux_2_{minor}_{platform.machine()}"


def _listed(listing: Path) -> list[WheelFile]:
    if not listing.is_file():
        return []
    return [WheelFile(**entry) for entry in json.loads(listing.read_text(encoding="utf-8"))]


def _pip_download(requirements: Path, folder: Path, target: list[str]) -> None:
    """Lets pip check every hash; a requirement that has no wheel for the target stops the build by name."""
    older = ["--platform", f"manylinux2014_{platform.machine()}"]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--disable-pip-version-check", "--only-binary", ":all:", "--no-cache-dir"),
        *(
            "--python-version",
            _PYTHON,
            "--implementation",
            "cp",
            "--abi",
            _ABI,
            "--abi",
            "abi3",
            "--abi",
            "none",
        ),
        *(*target, *older, "--requirement", str(requirements), "--dest", str(folder)),
    ]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            done.stderr[-1000:]
        ]
        raise ConfigurationError(f"{requirements}: " + "\n  ".join(said))
