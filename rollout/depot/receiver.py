"""The far side of a push: runs as root on a site's ``s`` (Python 3.11, standard library only).

It reads one request line, says which files it lacks, reads those as a tar stream and gives the build its
name when every byte of it was hashed here. Until then there is only ``<build>.partial``, from which the next
push goes on.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

# Path in the build -> {"size": bytes, "sha256": hex}
Wanted = dict[str, dict[str, Any]]

_CHUNK = 1024 * 1024


class Refused(Exception):  # noqa: N818 - it is said, not raised further
    """What the pushing side is told."""


def receive(stdin: IO[bytes], stdout: IO[bytes]) -> None:
    """One push, from request to ``{"done": …}``."""
    request = json.loads(stdin.readline())
    root, build, wanted = Path(request["root"]), request["build"], request["files"]
    check_request(build, wanted)
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        partial = root / f"{build}.partial"
        missing = gather(root, build, wanted)
        say(stdout, {"missing": missing})
        if missing:
            unpack(stdin, partial, {name: wanted[name] for name in missing})
        publish(root, build, wanted)
        say(stdout, {"done": build})


def check_request(build: str, wanted: Wanted) -> None:
    """No name leaves the build's folder."""
    for name in [build, *wanted]:
        if name.startswith("/") or any(part in {"", ".", ".."} for part in name.split("/")):
            raise Refused(f"{name}: leaves the build's folder")
    if "/" in build:
        raise Refused(f"{build}: not a build's name")


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """One push at a time; the lock dies with its process."""
    with (root / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"{root}: another push is running") from None
        yield


def gather(root: Path, build: str, wanted: Wanted) -> list[str]:
    """Links into the partial folder what other builds have; the names that must come over the wire.

    A build that is whole already is left alone (nothing missing, no partial folder).
    """
    final, partial = root / build, root / f"{build}.partial"
    if final.is_dir() and not wrong(final, wanted):
        return []
    partial.mkdir(exist_ok=True)
    drop_unwanted(partial, wanted)
    known = known_files(root)
    missing = []
    for name, entry in wanted.items():
        target = partial / name
        if holds(target, entry):
            continue
        target.unlink(missing_ok=True)
        source = next((file for file in known.get(entry["sha256"], []) if holds(file, entry)), None)
        if source is None:
            missing.append(name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)
    return missing


def known_files(root: Path) -> dict[str, list[Path]]:
    """Where a content may already be, as the builds' manifests say; it is hashed before it is used."""
    found: dict[str, list[Path]] = {}
    for folder in sorted(root.iterdir()):
        try:
            manifest = json.loads((folder / "manifest.json").read_bytes())
            entries = [entry for part in ("debs", "wheels", "indices") for entry in manifest[part]]
            for entry in entries:
                found.setdefault(entry["sha256"], []).append(folder / entry["file"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a build, or a broken one: nothing is taken from it
    return found


def drop_unwanted(partial: Path, wanted: Wanted) -> None:
    """Removes what an earlier push of other content left."""
    for file in [path for path in partial.rglob("*") if path.is_symlink() or not path.is_dir()]:
        if file.is_symlink() or file.relative_to(partial).as_posix() not in wanted:
            file.unlink()


def unpack(stdin: IO[bytes], partial: Path, missing: Wanted) -> None:
    """Writes the tar stream's files, each hashed on its way and named only when it is right."""
    left = dict(missing)
    temporary = partial / ".incoming"
    with tarfile.open(fileobj=stdin, mode="r|") as tar:
        for member in tar:
            entry = left.pop(member.name, None)
            stream = tar.extractfile(member) if member.isreg() else None
            if entry is None or stream is None or member.size != entry["size"]:
                raise Refused(f"{member.name}: not what was announced")
            digest = hashlib.sha256()
            with temporary.open("wb") as target:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
            if digest.hexdigest() != entry["sha256"]:
                raise Refused(f"{member.name}: sha256 is {digest.hexdigest()}, expected {entry['sha256']}")
            temporary.chmod(0o644)
            (partial / member.name).parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(partial / member.name)
    if left:
        raise Refused(f"{next(iter(left))}: did not come ({len(left)} files)")


def publish(root: Path, build: str, wanted: Wanted) -> None:
    """Everything on the disk, then the name; a damaged build of that name gives way."""
    final, partial = root / build, root / f"{build}.partial"
    if not partial.is_dir():
        return
    for name, entry in wanted.items():
        if not (partial / name).is_file() or (partial / name).stat().st_size != entry["size"]:
            raise Refused(f"{name}: missing at the end")
    for folder, _folders, files in os.walk(partial):
        Path(folder).chmod(0o755)
        for path in [*(Path(folder) / name for name in files), Path(folder)]:
            sync(path)
    damaged = root / f"{build}.damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    if final.is_dir():
        final.rename(damaged)
    partial.rename(final)
    sync(root)
    shutil.rmtree(damaged, ignore_errors=True)


def wrong(folder: Path, wanted: Wanted) -> bool:
    """Whether anything is missing, changed or unlisted."""
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return found != {*wanted} or not all(holds(folder / name, entry) for name, entry in wanted.items())


def holds(file: Path, entry: dict[str, Any]) -> bool:
    """Whether a plain file has that content."""
    if file.is_symlink() or not file.is_file() or file.stat().st_size != entry["size"]:
        return False
    with file.open("rb") as stream:
        return bool(hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"])


def sync(path: Path) -> None:
    """Waits until it is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def say(stdout: IO[bytes], message: dict[str, Any]) -> None:
    """One line of JSON to the pushing side."""
    stdout.write(json.dumps(message).encode() + b"\n")
    stdout.flush()


def main() -> int:
    """Entry point on the host."""
    os.umask(0o022)
    try:
        receive(sys.stdin.buffer, sys.stdout.buffer)
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except tarfile.TarError as error:
        sys.stderr.write(f"the transfer broke off: {error}\n")
        return 1
    return 0
