"""Holds a release build against its signature, its manifest and itself, before anything is taken from it.

The signature comes first: nothing of an unsigned manifest is believed. Then every file, by size and SHA-256,
and that there is none besides. Every problem found is named; none is repaired.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import selfcheck
from rollout.release.layout import PUBLIC_KEY
from rollout.release.manifest import NAME, SIGNATURE, Deb, Index, Manifest, Wheel
from rollout.release.sign import fingerprint_of, verify
from rollout.release.store import sha256_file

MAX_MANIFEST = 16 * 1024 * 1024
_SHOWN = 20
_BUILD = re.compile(r"^(?P<release>\d{4}\.\d{1,3})(-(?P<serial>\d+))?$", re.ASCII)
_HINT = "Nothing was taken from it. Copy the build again from where it was signed, or build it anew."


def public_key(home: Home) -> Path:
    """The public release key: made by the first build, or imported once its fingerprint was confirmed."""
    path = home.keys / "release.gpg"
    if not path.is_file():
        raise ConfigurationError(
            f"{path}: this control node knows no release key",
            "Build a release here, or import one: rollout release import FILE --fingerprint <from paper>.",
        )
    return path


def find_build(home: Home, release: str) -> Path:
    """The folder of ``2026.1-3``, or of the newest build of ``2026.1``."""
    wanted = _BUILD.match(release)
    if wanted is None:
        raise ConfigurationError(
            f"{release}: not a release", "Write it as 2026.1, or 2026.1-3 for one build."
        )
    here: dict[int, Path] = {}
    for folder in home.depot.iterdir():
        name = _BUILD.match(folder.name)
        if name and name["serial"] and name["release"] == wanted["release"] and folder.is_dir():
            here[int(name["serial"])] = folder
    serial = int(wanted["serial"]) if wanted["serial"] else max(here, default=0)
    if serial not in here:
        there = ", ".join(folder.name for _serial, folder in sorted(here.items()))
        raise ConfigurationError(
            f"{release}: no such build in {home.depot}",
            f"There is: {there}." if there else "rollout release build or rollout release import makes one.",
        )
    return here[serial]


def verify_build(folder: Path, key: Path) -> Manifest:
    """The manifest of the build in ``folder``, once signature, files and indices were found to hold."""
    manifest = signed_manifest(folder, key)
    if re.fullmatch(r"\d{4}\.\d{1,3}-\d+", folder.name) and folder.name != manifest.build:
        raise VerificationError(f"{folder}: the manifest inside is that of {manifest.build}", _HINT)
    problems = [*_listing(folder, manifest), *_hashes(folder, manifest)]
    if not problems:
        problems = [*selfcheck.problems(folder, manifest, key)] or [*_same_key(folder, key)]
    if problems:
        raise VerificationError(f"{folder} is refused:\n  " + "\n  ".join(_bounded(problems)), _HINT)
    return manifest


def signed_manifest(folder: Path, key: Path) -> Manifest:
    """The manifest of a build whose signature holds; its files were not looked at."""
    return read_manifest(_small(folder / NAME), _small(folder / SIGNATURE), key, str(folder / NAME))


def read_manifest(content: bytes, signature: bytes, key: Path, what: str) -> Manifest:
    """A manifest from its bytes; the signature is verified before a single byte is interpreted."""
    verify(content, signature, key, what)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:_SHOWN]
        )
        raise VerificationError(
            f"{what}: {where}", "It was written by another version of rollout."
        ) from error
    if manifest.text().encode() != content:
        raise VerificationError(
            f"{what}: not in canonical form", "It was written by another version of rollout."
        )
    return manifest


def check_serial(manifest: Manifest, highest_accepted: int, rollback: bool = False) -> None:
    """An older serial than the highest accepted one is refused unless it is an explicit rollback."""
    if manifest.serial < highest_accepted and not rollback:
        raise VerificationError(
            f"{manifest.build}: serial {manifest.serial} is older than serial {highest_accepted}, "
            "which was accepted before",
            "Use the newer release; to go back on purpose use `rollout rollback` (import: --allow-older).",
        )


def _small(file: Path) -> bytes:
    if file.is_symlink() or not file.is_file():
        raise VerificationError(f"{file}: missing", _HINT)
    if file.stat().st_size > MAX_MANIFEST:
        raise VerificationError(f"{file}: larger than {MAX_MANIFEST} bytes", _HINT)
    return file.read_bytes()


def _listing(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Every listed file is a plain file; nothing else is there."""
    wanted = {*manifest.files(), NAME, SIGNATURE}
    found = set()
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        found.add(name)
        if name not in wanted:
            yield f"{name}: not listed in the manifest"
        elif not stat.S_ISREG(path.lstat().st_mode):
            yield f"{name}: not a plain file"
    yield from (f"{name}: missing" for name in sorted(wanted - found))


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below ``folder`` that is not itself a folder; links are not followed."""
    for root, folders, files in os.walk(folder):
        for name in [*files, *(name for name in folders if (Path(root) / name).is_symlink())]:
            yield Path(root) / name


def _hashes(folder: Path, manifest: Manifest) -> list[str]:
    """Size and SHA-256 of every listed file that is there, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [
            problem for found in pool.map(_hash_check(folder), manifest.files().values()) for problem in found
        ]


def _hash_check(folder: Path) -> Callable[[Deb | Wheel | Index], list[str]]:
    def check(entry: Deb | Wheel | Index) -> list[str]:
        path = folder / entry.file
        if path.is_symlink() or not path.is_file():
            return []  # _listing has said so
        size = path.stat().st_size
        if size != entry.size:
            return [f"{_named(entry)}: {size} bytes, expected {entry.size}"]
        digest = sha256_file(path)
        return (
            []
            if digest == entry.sha256
            else [f"{_named(entry)}: sha256 is {digest}, expected {entry.sha256}"]
        )

    return check


def _named(entry: Deb | Wheel | Index) -> str:
    return entry.file if isinstance(entry, Index) else f"{entry.file} ({entry.name} {entry.version})"


def _same_key(folder: Path, key: Path) -> Iterator[str]:
    inside = (folder / PUBLIC_KEY).read_bytes()
    if hashlib.sha256(inside).digest() != hashlib.sha256(key.read_bytes()).digest():
        yield f"{PUBLIC_KEY}: another key than {key} ({fingerprint_of(key)})"


def _bounded(problems: Iterable[str]) -> list[str]:
    lines = list(problems)
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN} more"]
