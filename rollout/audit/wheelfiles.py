"""What a wheel puts into site-packages, from the RECORD inside the depot's own wheel.

The digests follow ``jincai.fingerprint``: SHA-256 over one line ``<path> <sha256>`` per file of the code,
sorted by path, where code is everything in site-packages outside ``*.dist-info`` folders.
"""

import base64
import csv
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.release.manifest import Wheel

_FORMAT = 1
# Files of these data folders are installed into site-packages; those of others (scripts, headers) elsewhere.
_LIBRARY = re.compile(r"^[^/]+\.data/(?:purelib|platlib)/")
_ELSEWHERE = re.compile(r"^[^/]+\.data/")


def digest(files: Mapping[str, str]) -> str:
    """The digest of ``files``: path → SHA-256."""
    text = "".join(f"{path} {files[path]}\n" for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def is_code(path: str) -> bool:
    """Whether a file of site-packages counts for the digests: the rule of ``jincai.fingerprint.counts``."""
    parts = path.split("/")
    return parts[0] != "bin" and not any(p == "__pycache__" or p.endswith(".dist-info") for p in parts)


def code_sha256(files: Mapping[str, str]) -> str:
    """The digest of a dist's code, as the running platform computes it for ``/version``."""
    return digest({path: sha256 for path, sha256 in files.items() if is_code(path)})


def parse_record(text: str) -> dict[str, str]:
    """Path in site-packages → SHA-256, for every file that RECORD gives a digest for."""
    files = {}
    for row in csv.reader(text.splitlines()):
        path, how = [*row, "", ""][:2]
        if not how.startswith("sha256=") or (_ELSEWHERE.match(path) and not _LIBRARY.match(path)):
            continue
        value = how.removeprefix("sha256=")
        files[_LIBRARY.sub("", path)] = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    return files


def of_wheel(file: Path, wheel: Wheel, home: Home) -> dict[str, str]:
    """Path → SHA-256 for a wheel of the depot; read once, then kept in the cache under the wheel's digest.

    Raises VerificationError when the wheel is not the one that the manifest names.
    """
    cached = home.cache / "wheel-files" / f"{wheel.sha256}.{_FORMAT}.json"
    if cached.is_file():
        kept: dict[str, str] = json.loads(cached.read_text(encoding="utf-8"))
        return kept
    files = _read(file, wheel)
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(".partial")
    partial.write_text(json.dumps(files), encoding="utf-8")
    partial.rename(cached)
    return files


def _read(file: Path, wheel: Wheel) -> dict[str, str]:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != wheel.sha256:
                raise VerificationError(
                    f"{file}: not the wheel that the manifest names (sha256 {found[:12]}…)",
                    "Copy the release into the depot again: rollout release import.",
                )
            with zipfile.ZipFile(stream) as archive:
                record = next(n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", n))
                return parse_record(archive.read(record).decode())
    except (OSError, StopIteration, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise VerificationError(f"{file}: not a readable wheel: {error!r}") from error


def merged(wheels: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The files of several wheels together."""
    files: dict[str, str] = {}
    for one in wheels:
        files.update(one)
    return files
