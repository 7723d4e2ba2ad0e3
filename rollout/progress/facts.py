"""What machines and people know of one site's rollout, wherever it comes from."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rollout.inventory.model import SiteName
from rollout.progress.sheet import PartId

Text = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Severity = Literal["minor", "major"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Applied(_Part):
    """A run that came to its end at the site: the steps it did."""

    at: datetime
    run: str
    verb: str
    steps: list[str]


class Audited(_Part):
    """A signed audit: what ran, and on which component anything was found."""

    at: datetime
    report: str
    uniform: bool
    running: list[str]
    wrong: list[str]


class Accepted(_Part):
    """The acceptance certificate; ``contact`` and ``link``: whether those were checked, and good."""

    at: datetime
    accepted: bool
    contact: bool
    link: bool


class Statement(_Part):
    """A named person says that a sub-item is done, with a file."""

    kind: Literal["statement"] = "statement"
    site: SiteName
    part: PartId
    by: Name
    at: datetime
    note: str = ""
    file: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Withdrawal(_Part):
    """A statement that no longer holds."""

    kind: Literal["withdrawal"] = "withdrawal"
    site: SiteName
    part: PartId
    by: Name
    at: datetime
    note: Text


class Visit(_Part):
    """An inspection (督导): a team was on site; ``findings`` are rows of their own."""

    kind: Literal["visit"] = "visit"
    site: SiteName
    team: Annotated[list[Name], Field(min_length=1, max_length=20)]
    day: date
    note: str = ""
    at: datetime


class Found(_Part):
    """What a visit found at a sub-item, until when it is to be put right."""

    kind: Literal["finding"] = "finding"
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    site: SiteName
    part: PartId
    severity: Severity
    text: Text
    deadline: date
    at: datetime


class Recheck(_Part):
    """A finding was looked at again."""

    kind: Literal["recheck"] = "recheck"
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    good: bool
    by: Name
    note: str = ""
    at: datetime


Entry = Annotated[Statement | Withdrawal | Visit | Found | Recheck, Field(discriminator="kind")]


class SiteFacts(_Part):
    """Everything known of one site. ``doubtful``: evidence that does not count, and why."""

    site: SiteName
    applied: list[Applied] = []
    audited: list[Audited] = []
    accepted: list[Accepted] = []
    entries: list[Entry] = []
    doubtful: list[str] = []
