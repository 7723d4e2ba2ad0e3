"""What is said about access: contractors, the keys of a site, and the scope that a contractor is given."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rollout.clock import SHANGHAI
from rollout.inventory.model import PublicKey, SiteName

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
REGION = "region"


def end_of(day: date) -> datetime:
    """The moment that ``day`` ends in China, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contractor(_Part):
    """Somebody who may work at some cities until the end of a day; ``removed_at`` set, no longer."""

    name: Name
    ssh_key: PublicKey
    sites: Annotated[list[SiteName], Field(min_length=1, max_length=30)]
    until: date
    added_at: datetime
    added_by: str
    removed_at: datetime | None = None

    def ends(self) -> datetime:
        """When it is over."""
        return min(end_of(self.until), self.removed_at or end_of(self.until))


class SiteKey(_Part):
    """A key that opens a site's hosts, and the last day in China that it does; None: no end."""

    who: Name
    key: PublicKey
    until: date | None = None

    def line(self) -> str:
        """As sshd reads it; sshd itself refuses it after its time."""
        if self.until is None:
            return self.key
        return f'expiry-time="{end_of(self.until):%Y%m%d%H%M%SZ}" {self.key}'


class Scope(_Part):
    """``scope.json``: what a contractor's control node may do; signed with the region's report key.

    ``keys``: all keys of its sites, so that an apply from here leaves everybody else's where they are.
    """

    format: int = Field(default=1, ge=1, le=1)
    name: Name
    sites: Annotated[list[SiteName], Field(min_length=1, max_length=30)]
    until: date
    issued_at: datetime
    keys: dict[SiteName, list[SiteKey]]
