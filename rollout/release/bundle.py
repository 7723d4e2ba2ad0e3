"""A release as one file, for networks that reach nothing: ``release export`` and ``release import``.

The file is a plain tar: ``install.sh``, then the build's folder. The build carries all that a bare host
needs to check it (``SHA256SUMS``, its signature, the public key) and to become a control node (``install.sh``
again), so a bundle needs no signature of its own and any control node can make it again, byte for byte.
"""

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import depot, layout, ledger
from rollout.release.manifest import NAME, SIGNATURE, Manifest
from rollout.release.sign import fingerprint_of
from rollout.release.verify import MAX_MANIFEST, check_serial, read_manifest, verify_build

# In this order at the front, so that a reader can judge the rest as it streams by.
_HEAD = (NAME, SIGNATURE, layout.PUBLIC_KEY, layout.SUMS, layout.SUMS_SIGNATURE, layout.INSTALLER)
_TIME = 1767225600  # 2026-01-01, like the files of our wheels: the same build gives the same bundle
_CHUNK = 1024 * 1024
_OUTSIDE = f"./{layout.INSTALLER}"

Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    pass


def export(folder: Path, public_key: Path, target: Path, progress: Progress = _silent) -> Manifest:
    """Writes the build in ``folder`` to the file ``target``, after it was verified."""
    manifest = verify_build(folder, public_key)
    names = [*_HEAD, *sorted({*manifest.files()} - {*_HEAD})]
    total = sum((folder / name).stat().st_size for name in names)
    done = 0
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
                _add(tar, folder / layout.INSTALLER, layout.INSTALLER)
                for name in names:
                    _add(tar, folder / name, f"{manifest.build}/{name}")
                    done += (folder / name).stat().st_size
                    progress(done, total)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def import_release(
    home: Home,
    source: Path,
    fingerprint: str | None = None,
    allow_older: bool = False,
    progress: Progress = _silent,
) -> Manifest:
    """Takes a bundle, or a folder unpacked from one, into the depot.

    ``fingerprint`` is what the operator read from paper; it is needed once, while no release key is known.
    Nothing appears in the depot, and no key is accepted, unless everything holds.
    """
    with ledger.lock(home), depot.folder_to_fill(home) as folder, _members(source) as members:
        outside = _installer(members) if not source.is_dir() else None
        key = _receive_head(members, folder)
        _judge_key(home, key, fingerprint)
        manifest = read_manifest(
            (folder / NAME).read_bytes(), (folder / SIGNATURE).read_bytes(), key, f"{source}: {NAME}"
        )
        _judge_serial(home, manifest, allow_older)
        if outside not in {None, manifest.files()[layout.INSTALLER].sha256}:
            raise VerificationError(f"{source}: install.sh: not the one that was signed")
        if not (home.depot / manifest.build).is_dir():
            _receive(members, manifest, folder, progress)
            verify_build(folder, key)
            _accept_key(home, key)
            depot.publish(home, manifest, folder)
        else:
            verify_build(home.depot / manifest.build, key)
            _accept_key(home, key)
    return manifest


Members = Iterator[tuple[str, IO[bytes], int]]  # path inside the build, content, bytes


@contextmanager
def _members(source: Path) -> Iterator[Members]:
    if source.is_dir():
        yield _members_of_folder(source)
        return
    if not source.is_file():
        raise ConfigurationError(f"{source}: no such file or folder")
    try:
        with tarfile.open(source, "r:") as tar:
            yield _members_of_tar(tar, source)
    except (tarfile.TarError, EOFError) as error:
        raise VerificationError(
            f"{source}: not a whole release bundle: {error}", "Copy the file again from where it was made."
        ) from error


def _members_of_folder(source: Path) -> Members:
    files = [path for path in sorted(source.rglob("*")) if path.is_symlink() or not path.is_dir()]
    names = {path.relative_to(source).as_posix(): path for path in files}
    for name in [*(name for name in _HEAD if name in names), *sorted({*names} - {*_HEAD})]:
        if names[name].is_symlink() or not names[name].is_file():
            raise VerificationError(f"{source}: {name}: not a plain file")
        with names[name].open("rb") as stream:
            yield name, stream, names[name].stat().st_size


def _members_of_tar(tar: tarfile.TarFile, source: Path) -> Members:
    for member in tar:
        if member.isdir():
            continue
        name = _OUTSIDE if member.name == layout.INSTALLER else member.name.partition("/")[2]
        stream = tar.extractfile(member) if member.isreg() else None
        if stream is None:
            raise VerificationError(f"{source}: {member.name}: not a plain file")
        yield name, stream, member.size


def _installer(members: Members) -> str:
    """The digest of the ``install.sh`` outside the build's folder, which an operator may have run."""
    name, stream, size = next(members, ("nothing", io.BytesIO(), 0))
    if name != _OUTSIDE or size > MAX_MANIFEST:
        raise VerificationError(
            f"not a release bundle: it begins with {name}", "A bundle is made by rollout release export."
        )
    return hashlib.sha256(stream.read(size)).hexdigest()


def _receive_head(members: Members, folder: Path) -> Path:
    """Manifest, signature and public key: the only bytes taken before anything could be verified."""
    for wanted in (NAME, SIGNATURE, layout.PUBLIC_KEY):
        name, stream, size = next(members, ("nothing", io.BytesIO(), 0))
        if name != wanted or size > MAX_MANIFEST:
            raise VerificationError(
                f"not a release bundle: {wanted} expected, found {name} ({size} bytes)",
                "A bundle is made by rollout release export.",
            )
        _write(folder / name, stream)
    return folder / layout.PUBLIC_KEY


def _receive(members: Members, manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Every other file, if the manifest lists it with that size; ``verify_build`` hashes them afterwards."""
    listed = manifest.files()
    total = sum(entry.size for entry in listed.values())
    done = 0
    for name, stream, size in members:
        entry = listed.get(name)
        if entry is None:
            raise VerificationError(f"{name}: not listed in the manifest")
        if size != entry.size:
            raise VerificationError(f"{name}: {size} bytes, expected {entry.size}")
        if (folder / name).exists():
            raise VerificationError(f"{name}: contained twice")
        _write(folder / name, stream)
        done += size
        progress(done, total)
    (folder / layout.INSTALLER).chmod(0o755)


def _judge_key(home: Home, key: Path, fingerprint: str | None) -> None:
    """The bundle's key is the one known here, or the one whose fingerprint the operator gave."""
    found = fingerprint_of(key)
    known = home.keys / "release.gpg"
    if fingerprint is not None and _digits(fingerprint) != found:
        raise VerificationError(
            f"the bundle's key has the fingerprint {found}, not {fingerprint}",
            "Compare with the paper once more; if it still differs, do not use the bundle.",
        )
    if known.is_file():
        if known.read_bytes() != key.read_bytes():
            raise VerificationError(
                f"the bundle is signed with {found}, but this control node's release key is "
                f"{fingerprint_of(known)} ({known})",
                "A release key is not replaced by an import; ask the release key's owner.",
            )
    elif fingerprint is None:
        raise ConfigurationError(
            "this control node knows no release key yet",
            'Give the fingerprint that you hold on paper: --fingerprint "…".',
        )


def _accept_key(home: Home, key: Path) -> None:
    known = home.keys / "release.gpg"
    if not known.is_file():
        partial = known.with_suffix(".partial")
        shutil.copyfile(key, partial)
        partial.replace(known)


def _judge_serial(home: Home, manifest: Manifest, allow_older: bool) -> None:
    book = ledger.Ledger(home)
    known = book.with_serial(manifest.serial)
    if known is not None and known != manifest:
        different = "\n  ".join(ledger.differences(known, manifest))
        raise VerificationError(
            f"serial {manifest.serial} is known here as {known.build} with other content:\n  {different}",
            "A serial has one content forever; ask the release key's owner.",
        )
    check_serial(manifest, book.highest(), rollback=allow_older)


def _digits(fingerprint: str) -> str:
    return "".join(fingerprint.split()).upper()


def _write(path: Path, stream: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        shutil.copyfileobj(stream, target, _CHUNK)
    path.chmod(0o644)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mtime = _TIME
    entry.mode = 0o755 if path.name == layout.INSTALLER else 0o644
    with path.open("rb") as stream:
        tar.addfile(entry, stream)
