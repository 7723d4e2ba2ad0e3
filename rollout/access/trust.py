"""Whose signature under a site's record counts: the region's, and its contractors' in their time."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rollout.access import contractors, scope
from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.release.sign import verify


class Signer(NamedTuple):
    """A public report key, and when what it signs begins to count no more; None: never."""

    key: Path
    ends: datetime | None


def signers(home: Home, site: str) -> list[Signer]:
    """Who may sign the site's record, the own key first."""
    keys = home.root / "keys"
    found = [Signer(keys / "report.gpg", None)]
    if (keys / scope.REGION_KEY).is_file():
        found.append(Signer(keys / scope.REGION_KEY, None))
    found += [
        Signer(keys / "contractors" / one.name / "report.gpg", one.ends())
        for one in contractors.load(home)
        if site in one.sites
    ]
    return found


def verify_record(home: Home, site: str, content: bytes, signature: bytes, what: str) -> Signer:
    """Who signed it; VerificationError, the own key's, if none of them did."""
    first: VerificationError | None = None
    for signer in signers(home, site):
        try:
            verify(content, signature, signer.key, what)
        except VerificationError as error:
            first = first or error
        else:
            return signer
    raise first or VerificationError(f"{what}: nobody's signature is known here")


def in_time(signer: Signer, applied_at: datetime, what: str) -> None:
    """VerificationError if it was signed by a contractor whose time was over."""
    if signer.ends is not None and applied_at > signer.ends:
        raise VerificationError(f"{what}: signed by {signer.key.parent.name} after {signer.ends.isoformat()}")
