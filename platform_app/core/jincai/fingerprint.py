"""One digest for the code of a dist, the same whether taken from its wheel or from an installation.

The digest is SHA-256 over the UTF-8 text of one line ``<relative path> <sha256 of the content>`` per
file, each ended by a line feed, sorted by path. Counted are the files that the dist's RECORD names
inside site-packages, without ``*.dist-info`` folders (installers write into them), ``__pycache__``
and ``bin/``; paths are relative to site-packages, with forward slashes. A file that RECORD names and
the disk lacks gets the word ``missing`` in place of its digest, so that a damaged installation still
starts and still says that it is not the release.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path, PurePosixPath

MISSING = "missing"


def digest(files: Mapping[str, str]) -> str:
    """The digest of ``files``: relative path → SHA-256 of the content, both as text."""
    text = "".join(f"{path} {files[path]}\n" for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()


def counts(path: str) -> bool:
    """Whether a path as RECORD names it (relative to site-packages) belongs to the code."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] in {"/", "..", "bin"}:
        return False
    return not any(part == "__pycache__" or part.endswith(".dist-info") for part in parts)


def record_paths(record: str) -> list[str]:
    """The paths of the code in ``record``, the text of a RECORD file."""
    return [row[0] for row in csv.reader(record.splitlines()) if row and counts(row[0])]


def of_paths(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Path → SHA-256 for each of ``paths`` below ``root``."""
    return {path: _of_file(root / path) for path in paths}


def of_folder(folder: Path) -> dict[str, str]:
    """Path → SHA-256 for every file below ``folder``; paths begin with the folder's own name."""
    found = (path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file())
    return of_paths(folder.parent, (path for path in found if counts(path)))


def of_distribution(dist: metadata.Distribution) -> dict[str, str]:
    """Path → SHA-256 for every installed file of ``dist``; empty for an editable installation."""
    paths = record_paths(dist.read_text("RECORD") or "")
    if all(_points_elsewhere(path) for path in paths):
        return {}
    return of_paths(Path(str(dist.locate_file(""))), paths)


def of_environment(site_packages: Path) -> dict[str, str]:
    """Path → SHA-256 for the files of all distributions installed in ``site_packages``."""
    paths: set[str] = set()
    for dist in metadata.distributions(path=[str(site_packages)]):
        paths.update(record_paths(dist.read_text("RECORD") or ""))
    return of_paths(site_packages, paths)


def _points_elsewhere(path: str) -> bool:
    """Whether ``path`` is of the kind that is all an editable installation leaves in site-packages."""
    return "/" not in path and path.endswith(".pth")


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
