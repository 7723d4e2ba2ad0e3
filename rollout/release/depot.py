"""The control node's depot: builds appear in it whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollout.paths import Home
from rollout.release.ledger import Ledger
from rollout.release.manifest import Manifest

_TEMPORARY = ".partial-"


@contextmanager
def folder_to_fill(home: Home) -> Iterator[Path]:
    """A hidden folder beside the builds; gone afterwards unless ``publish`` gave it its name.

    The caller holds the lock, so any other such folder was left by a killed run and is removed.
    """
    for left in home.depot.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(left)
    temporary = Path(tempfile.mkdtemp(dir=home.depot, prefix=_TEMPORARY))
    temporary.chmod(0o755)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def publish(home: Home, manifest: Manifest, temporary: Path) -> Path:
    """Makes a filled folder the build: durable, entered in the ledger, then visible."""
    target = home.depot / manifest.build
    _to_disk(temporary)
    Ledger(home).enter(manifest)
    temporary.rename(target)
    _sync(home.depot)
    return target


def _to_disk(folder: Path) -> None:
    for root, _folders, files in os.walk(folder):
        for name in files:
            _sync(Path(root) / name)
        _sync(Path(root))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
