"""推进情况: how far the rollout is at each site, as the control node published it last, for its pages."""

import datetime as dt
from typing import IO, Annotated, Literal

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from jincai.errors import ConfigurationError, MigrationError

DOCUMENT_MOST_BYTES = 4 << 20
_AHEAD = dt.timedelta(minutes=10)  # so far may the control node's clock be

Text = Annotated[str, StringConstraints(max_length=500)]
Points = Annotated[int, Field(ge=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Part):
    """One of the sub-items (考核细项): its points, who leads, whether it is proved, and by what."""

    part: Annotated[str, StringConstraints(max_length=10)]
    title: Text
    weight: Points
    lead: Text
    state: Literal["done", "blocked", "late", "open"]
    due: dt.date
    since: dt.date | None
    by: Text
    late_days: Annotated[int, Field(ge=0)]


class Grant(_Part):
    """One amount (fen) for a site: whether it is due, and why or why not."""

    kind: Literal["implementation", "running", "reward"]
    amount: Annotated[int, Field(ge=0, lt=10**13)]
    due: bool
    why: Text


class Sheet(_Part):
    """A site on the day of the document. ``planned``: points due by then; ``place`` among the cities."""

    site: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,20}$")]
    title: Annotated[str, StringConstraints(max_length=60)]
    division: Annotated[str, StringConstraints(pattern=r"^[1-9]\d{5}$")]
    place: int | None
    score: Points
    planned: Points
    go_live: dt.date
    forecast: dt.date | None
    live: dt.date | None
    overdue: Annotated[list[Text], Field(max_length=500)]
    parts: Annotated[list[Part], Field(max_length=200)]
    grants: Annotated[list[Grant], Field(max_length=10)]

    @property
    def done(self) -> int:
        """Sub-items that are proved."""
        return sum(part.state == "done" for part in self.parts)

    @property
    def late(self) -> list[Part]:
        """Sub-items past their day, the latest first."""
        return sorted(
            (part for part in self.parts if part.state in {"late", "blocked"}),
            key=lambda part: -part.late_days,
        )

    @property
    def due_fen(self) -> int:
        """What the site is due of all grants, fen."""
        return sum(grant.amount for grant in self.grants if grant.due)


class Publication(_Part):
    """What `rollout progress publish` sends. ``simulated``: its figures are invented."""

    format: Literal[1]
    taken_at: dt.datetime
    by: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    simulated: bool
    sheets: Annotated[list[Sheet], Field(min_length=1, max_length=100)]


class Progress(_Part):
    """What a reader may see of it; no ``sheets``: nothing was published, or nothing of theirs."""

    taken_at: dt.datetime | None
    by: str
    simulated: bool
    sheets: list[Sheet]


def load(url: str, document: IO[bytes]) -> Publication:
    """Stores a publication in place of the former one, all or none.

    Args:
        url: of the schema's owner.
        document: JSON, at most `DOCUMENT_MOST_BYTES`.

    Raises:
        ConfigurationError: too large, not a publication, from the future, or older than what is there.
    """
    text = document.read(DOCUMENT_MOST_BYTES + 1)
    if len(text) > DOCUMENT_MOST_BYTES:
        raise ConfigurationError(f"the document has more than {DOCUMENT_MOST_BYTES} bytes")
    try:
        found = Publication.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise ConfigurationError(
            f"not a publication: {where}: {first['msg']}",
            "Publish with the rollout that this release belongs to.",
        ) from error
    if found.taken_at.tzinfo is None or found.taken_at > dt.datetime.now(dt.UTC) + _AHEAD:
        raise ConfigurationError(
            f"taken at {found.taken_at.isoformat()}, which is no moment before now", "Set the clocks right."
        )
    try:
        with psycopg.connect(url, application_name="jincai progress") as cx:
            _store(cx, found)
    except psycopg.Error as error:
        raise MigrationError(str(error).strip(), "Run jincai migrate; load as the schema's owner.") from error
    return found


def _store(cx: psycopg.Connection, found: Publication) -> None:
    cx.execute("LOCK TABLE jincai.rollout_progress IN EXCLUSIVE MODE")
    row = cx.execute("SELECT max(taken_at) FROM jincai.rollout_progress").fetchone()
    if row and row[0] and row[0] > found.taken_at:
        raise ConfigurationError(
            f"taken at {found.taken_at.isoformat()}, older than what is here ({row[0].isoformat()})"
        )
    cx.execute("DELETE FROM jincai.rollout_progress")
    with cx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO jincai.rollout_progress (site, division, sheet, taken_at, published_by, simulated)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    one.site,
                    one.division,
                    Jsonb(one.model_dump(mode="json")),
                    found.taken_at,
                    found.by,
                    found.simulated,
                )
                for one in found.sheets
            ],
        )


async def read(cx: AsyncConnection) -> Progress:
    """What the session may see: by place, the region first."""
    cursor = cx.cursor(row_factory=dict_row)
    rows = await (
        await cursor.execute("SELECT sheet, taken_at, published_by, simulated FROM jincai.rollout_progress")
    ).fetchall()
    sheets = [Sheet.model_validate(row["sheet"]) for row in rows]
    return Progress(
        taken_at=rows[0]["taken_at"] if rows else None,
        by=rows[0]["published_by"] if rows else "",
        simulated=any(row["simulated"] for row in rows),
        sheets=sorted(sheets, key=lambda one: (one.place or 0, one.division)),
    )
