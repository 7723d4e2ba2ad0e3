"""The list of rules, and what is shown of one: where it stands, what it says, who wrote it."""

import asyncio
import datetime as dt
import difflib
from typing import Literal, NamedTuple

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.monitoring.rule import Disposal, Level, Rule, Stage
from jincai.monitoring.store import checking, editions, versions
from jincai.monitoring.store.editions import Step
from jincai.monitoring.store.versions import Line, State, Version
from jincai.monitoring.vocabulary import Subject

# Comparing takes longer than the square of this, at worst.
COMPARED_LINES = 3_000


class Listed(BaseModel):
    """A rule; what its text says is None while nobody wrote one that can be read."""

    model_config = ConfigDict(frozen=True)

    rule: str
    title: str | None
    title_en: str | None
    subject: Subject | None
    stage: Stage | None
    level: Level | None
    disposal: Disposal | None
    live: int | None
    shadow: int | None
    draft: int | None


class Written(BaseModel):
    """A version without its text."""

    model_config = ConfigDict(frozen=True)

    version: int
    state: State
    revision: int
    made_by: str
    made_at: dt.datetime
    changed_by: list[str]
    published_by: str | None
    published_at: dt.datetime | None


class Known(BaseModel):
    """A rule with its versions and what was in force of it when and why, both newest first."""

    model_config = ConfigDict(frozen=True)

    rule: Listed
    versions: list[Written]
    steps: list[Step]


class Differing(NamedTuple):
    """A line of a difference; ``place`` is the head of a part."""

    kind: Literal["added", "removed", "same", "place"]
    text: str


def listed(line: Line) -> Listed:
    """The rule as a line of the list."""
    said: Rule | None = checking.rule_of(line.source, line.rule)
    names = ("title", "title_en", "subject", "stage", "level", "disposal")
    fields = {name: getattr(said, name, None) for name in names}
    return Listed.model_validate(fields | line.model_dump(include={"rule", "live", "shadow", "draft"}))


async def every(cx: AsyncConnection) -> list[Listed]:
    """All rules, by number."""
    lines = await versions.lines(cx)
    # In a thread: what nobody asked for yet is read for the first time, and others are waiting.
    return await asyncio.to_thread(lambda: [listed(one) for one in lines])


async def known(cx: AsyncConnection, rule: str) -> Known:
    """One rule with its history.

    Raises:
        RefusedError: 404, there is none.
    """
    line = await versions.line(cx, rule)
    history = await versions.history(cx, rule)
    return Known(
        rule=listed(line),
        versions=[Written.model_validate(one, from_attributes=True) for one in history],
        steps=await editions.steps(cx, rule),
    )


def difference(before: Version, after: Version) -> list[Differing] | None:
    """How the texts differ, line by line with three around; None if they are too long to be compared."""
    old, new = before.source.splitlines(), after.source.splitlines()
    if max(len(old), len(new)) > COMPARED_LINES:
        return None
    kinds: dict[str, Literal["added", "removed", "same", "place"]] = {
        "+": "added",
        "-": "removed",
        " ": "same",
        "@": "place",
    }
    found = list(difflib.unified_diff(old, new, lineterm=""))
    return [Differing(kinds[one[0]], one[1:] if one[0] != "@" else one) for one in found[2:]]
