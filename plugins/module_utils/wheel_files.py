"""What wheels put into a virtual environment, read from the wheels themselves.

Runs on a city's host (Python 3.11, standard library only). A RECORD in the environment proves nothing:
whoever changed a file can change that too. The RECORD inside a wheel of the verified depot does.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

# pip writes these beside what a wheel brings.
GENERATED = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"})
# Where the parts of a wheel's .data folder go that belong below site-packages.
_LIBRARIES = ("purelib", "platlib")


def in_site_packages(path: str) -> str | None:
    """The path below site-packages that a path inside a wheel is installed to; None for scripts and data."""
    first, _, rest = path.partition("/")
    if not first.endswith(".data"):
        return path
    part, _, inner = rest.partition("/")
    return inner if part in _LIBRARIES else None


def is_metadata(path: str) -> bool:
    """Whether a path below site-packages lies in a ``*.dist-info`` folder."""
    return path.partition("/")[0].endswith(".dist-info")


def wheel_files(wheel: Path) -> dict[str, str]:
    """Path below site-packages -> sha256 (hex) of everything that a wheel installs there, RECORD excepted."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(n for n in archive.namelist() if n.endswith(".dist-info/RECORD") and n.count("/") == 1)
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
    files = {}
    for path, digest, *_ in rows:
        target = in_site_packages(path)
        if target and digest:
            algorithm, _, value = digest.partition("=")
            if algorithm != "sha256":
                raise ValueError(f"{wheel.name}: {path} has no sha256 in RECORD")
            files[target] = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    return files


def code_digest(files: dict[str, str]) -> str:
    """One digest over the code of wheels; ``/version`` of a process says the same of what it loaded."""
    lines = [f"{path} {files[path]}\n" for path in sorted(files) if not is_metadata(path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def differences(expected: dict[str, str], site_packages: Path) -> list[str]:
    """What differs on the disk from the wheels: ``modified``, ``missing`` and ``extra`` with their paths."""
    wrong = []
    found = set()
    for path in sorted(p for p in site_packages.rglob("*") if p.is_symlink() or not p.is_dir()):
        name = path.relative_to(site_packages).as_posix()
        found.add(name)
        if is_metadata(name) and path.name in GENERATED:
            continue
        if name not in expected:
            wrong.append(f"extra {name}")
        elif path.is_symlink() or hashlib.sha256(path.read_bytes()).hexdigest() != expected[name]:
            wrong.append(f"modified {name}")
    return wrong + [f"missing {name}" for name in sorted(expected.keys() - found)]
