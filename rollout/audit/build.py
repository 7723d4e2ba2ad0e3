"""Which release build sites are held against: the one that was named, or that of their records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.record import SiteRecord
from rollout.release.manifest import NAME, SIGNATURE, Manifest
from rollout.release.verify import find_build, public_key, read_manifest


@dataclass(frozen=True)
class Build:
    """A manifest whose signature was found to hold, and the folder of the depot that it describes."""

    manifest: Manifest
    folder: Path

    @cached_property
    def sha256(self) -> str:
        """The manifest's digest."""
        return self.manifest.sha256()


def load(home: Home, release: str) -> Build:
    """The build ``2026.1-3``, or the newest of ``2026.1``; its signature comes first.

    The files of the build are verified one by one as they are read, against the manifest.
    """
    folder = find_build(home, release)
    try:
        content, signature = (folder / NAME).read_bytes(), (folder / SIGNATURE).read_bytes()
    except OSError as error:
        raise VerificationError(f"{error.filename}: {error.strerror}") from error
    return Build(read_manifest(content, signature, public_key(home), str(folder / NAME)), folder)


def of_records(records: Mapping[str, SiteRecord | None]) -> str:
    """The newest build among the sites' records: a site that is not there yet is behind."""
    known = [record for record in records.values() if record]
    if not known:
        raise ConfigurationError(
            f"no release was applied yet to {', '.join(records)}",
            "Name the release that they are to be held against: rollout audit 2026.1",
        )
    newest = max(known, key=lambda record: record.serial)
    return f"{newest.release}-{newest.serial}"
