"""What Debian packages put onto a host, file by file, from the depot's own debs (``--deep``).

A host's list of its packages' files proves nothing. Content, kind and link target count; owner and mode are
left out, because maintainer scripts change those of their own package's files rightfully.
"""

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.release.manifest import Deb

_FORMAT = 1
_AT_ONCE = 2

# Path → SHA-256 of a file, or ``-> target`` of a link. Folders are shared and not listed.
Contents = dict[str, str]


def of_debs(debs: Iterable[Deb], build: Path, home: Home) -> dict[str, Contents]:
    """What each of these packages puts onto a host, by its name."""
    every = list(debs)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        parts = pool.map(lambda deb: of_deb(build / deb.file, deb, home), every)
        return {deb.name: part for deb, part in zip(every, parts, strict=True)}


def of_deb(file: Path, deb: Deb, home: Home) -> Contents:
    """One package's files; unpacked once, then kept in the cache under the package's digest."""
    cached = home.cache / "deb-files" / f"{deb.sha256}.{_FORMAT}.json"
    if cached.is_file():
        kept: Contents = json.loads(cached.read_text(encoding="utf-8"))
        return kept
    contents = _read(file, deb)
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(".partial")
    partial.write_text(json.dumps(contents), encoding="utf-8")
    partial.rename(cached)
    return contents


def _read(file: Path, deb: Deb) -> Contents:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise VerificationError(f"{file}: {error.strerror}") from error
    if found != deb.sha256:
        raise VerificationError(
            f"{file}: not the package that the manifest names (sha256 {found[:12]}…)",
            "Copy the release into the depot again: rollout release import.",
        )
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(file)], stdout=subprocess.PIPE) as unpacking:
        if unpacking.stdout is None:
            raise VerificationError(f"{file}: dpkg-deb says nothing")
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
            contents = read_archive(archive)
    if unpacking.returncode:
        raise VerificationError(f"{file}: dpkg-deb cannot unpack it")
    return contents


def read_archive(archive: tarfile.TarFile) -> Contents:
    """The files and links of a package's data archive, by absolute path."""
    contents: Contents = {}
    for member in archive:
        path = "/" + member.name.removeprefix("./").lstrip("/")
        if member.issym():
            contents[path] = f"-> {member.linkname}"
        elif member.islnk():
            contents[path] = contents["/" + member.linkname.removeprefix("./").lstrip("/")]
        elif member.isfile():
            data = archive.extractfile(member)
            contents[path] = hashlib.sha256(data.read() if data else b"").hexdigest()
    return contents
