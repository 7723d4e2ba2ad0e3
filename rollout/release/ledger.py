"""Every manifest that was ever signed or accepted here, kept apart from the depot.

A serial only grows: deleting a build does not free its serial, and two contents never share one.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from rollout.errors import ConfigurationError, HeldError
from rollout.paths import Home
from rollout.release.manifest import Manifest


class Ledger:
    """``signed/<release>-<serial>.json`` in the home."""

    def __init__(self, home: Home) -> None:
        self.folder = home.root / "signed"
        self.folder.mkdir(parents=True, exist_ok=True)

    def manifests(self) -> dict[int, Manifest]:
        """Every known manifest by serial, lowest first."""
        return {serial: _read(file) for serial, file in sorted(self._files().items())}

    def highest(self) -> int:
        """The highest known serial of all releases; 0 when there is none."""
        return max(self._files(), default=0)

    def with_serial(self, serial: int) -> Manifest | None:
        """The manifest that has this serial, if one has."""
        file = self._files().get(serial)
        return _read(file) if file else None

    def newest(self, release: str) -> Manifest | None:
        """The newest known build of a release."""
        serials = [serial for serial, file in self._files().items() if file.stem.startswith(f"{release}-")]
        return self.with_serial(max(serials)) if serials else None

    def _files(self) -> dict[int, Path]:
        return {int(file.stem.rpartition("-")[2]): file for file in self.folder.glob("*-*.json")}

    def enter(self, manifest: Manifest) -> None:
        """Remembers a manifest; durable before the build that it describes appears."""
        target = self.folder / f"{manifest.build}.json"
        partial = target.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(manifest.text())
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)


def _read(file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigurationError(
            f"{file}: {error}", "It was written by another version of rollout; use that one, or a newer one."
        ) from error


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """One build or import at a time; the lock dies with its process."""
    home.root.mkdir(parents=True, exist_ok=True)
    path: Path = home.root / "depot.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HeldError(
                f"{path}: another build or import is running", "Wait for it to end, then repeat."
            ) from error
        yield


def differences(old: Manifest, new: Manifest) -> list[str]:
    """What differs in content, one line per component: name, old → new version or "other content"."""
    lines = _compared(_components(old), _components(new))
    without = {"serial": 0, "debs": [], "wheels": [], "indices": []}
    if old.model_copy(update=without) != new.model_copy(update=without):
        lines.append("the sets of packages and wheels")
    # Indices follow from the components; alone they differ by what is made here (keys, installer).
    return lines or _compared(_indices(old), _indices(new))


def _compared(before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]) -> list[str]:
    lines = []
    for name in sorted({*before, *after}):
        one, two = before.get(name), after.get(name)
        if one is None or two is None:
            lines.append(f"{name}: {'added' if one is None else 'removed'}")
        elif one[0] != two[0]:
            lines.append(f"{name}: {one[0]} → {two[0]}")
        elif one != two:
            lines.append(f"{name} {one[0]}".rstrip() + ": other content")
    return lines


def _components(manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Version and digest by the name that its user knows."""
    found = {deb.name: (deb.version, deb.sha256) for deb in manifest.debs}
    return found | {f"{wheel.name} (wheel)": (wheel.version, wheel.sha256) for wheel in manifest.wheels}


def _indices(manifest: Manifest) -> dict[str, tuple[str, str]]:
    return {index.file: ("", index.sha256) for index in manifest.indices}
