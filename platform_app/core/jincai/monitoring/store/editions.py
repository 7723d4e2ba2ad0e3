"""规则集 (editions of rules): what is in force together. Each change makes the next one; none is lost."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai.monitoring.store.versions import RULES_MOST
from jincai.paging import Page, PageQuery
from jincai.standards.editions import RefusedError

# "rules": whoever makes an edition waits for whoever makes one, so that it builds on theirs.
LOCK_KEY = 0x72756C6573


class Place(NamedTuple):
    """A version in an edition; ``shadow``: it runs beside the live one, alerts nobody and holds nothing."""

    rule: str
    version: int
    shadow: bool


class Decided(NamedTuple):
    """Who changes what is in force, and why."""

    actor: str
    reason: str


class Edition(BaseModel):
    """One edition, and which versions it holds; ``digest`` is of everything in it, hexadecimal."""

    model_config = ConfigDict(frozen=True)

    number: int
    digest: str
    reason: str
    published_by: str
    published_at: dt.datetime
    rules: list[Place]


class Step(BaseModel):
    """An edition that changed where a rule stands: its live and its shadow version from then on."""

    model_config = ConfigDict(frozen=True)

    edition: int
    live: int | None
    shadow: int | None
    reason: str
    published_by: str
    published_at: dt.datetime


STEPS_MOST = 200
Change = Callable[[Sequence[Place]], list[Place]]

LOCK = "SELECT pg_advisory_xact_lock(%s)"
_NEWEST = "SELECT max(number) FROM monitor.edition"
_PLACES = """
SELECT rule, version, shadow FROM monitor.edition_rule
 WHERE edition = (SELECT max(number) FROM monitor.edition)
"""
SOURCES = """
SELECT v.rule, v.version, sha256(convert_to(v.source, 'UTF8'))
  FROM monitor.rule_version AS v
  JOIN unnest(%s::text[], %s::integer[]) AS asked (rule, version) USING (rule, version)
 WHERE v.state = 'published'
"""
MAKE = """
INSERT INTO monitor.edition (number, digest, reason, published_by)
SELECT coalesce(max(number), 0) + 1, %s, %s, %s FROM monitor.edition
RETURNING number
"""
FILL = """
INSERT INTO monitor.edition_rule (edition, rule, version, shadow)
SELECT %s, t.rule, t.version, t.shadow
  FROM unnest(%s::text[], %s::integer[], %s::boolean[]) AS t (rule, version, shadow)
"""
_EDITIONS = """
SELECT e.number, encode(e.digest, 'hex') AS digest, e.reason, e.published_by, e.published_at,
       coalesce((SELECT json_agg(json_build_array(r.rule, r.version, r.shadow)
                                 ORDER BY substr(r.rule, 2)::integer, r.shadow)
                   FROM monitor.edition_rule AS r WHERE r.edition = e.number), '[]') AS rules
  FROM monitor.edition AS e
 WHERE %(number)s::integer IS NULL OR e.number = %(number)s
 ORDER BY e.number DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""
_STEPS = """
WITH standing AS (
    SELECT e.number AS edition, e.reason, e.published_by, e.published_at,
           (SELECT r.version FROM monitor.edition_rule AS r
             WHERE (r.edition, r.rule) = (e.number, %(rule)s) AND NOT r.shadow) AS live,
           (SELECT r.version FROM monitor.edition_rule AS r
             WHERE (r.edition, r.rule) = (e.number, %(rule)s) AND r.shadow) AS shadow
      FROM monitor.edition AS e
), compared AS (
    SELECT *, lag(live) OVER before AS live_before, lag(shadow) OVER before AS shadow_before
      FROM standing
    WINDOW before AS (ORDER BY edition)
)
SELECT edition, live, shadow, reason, published_by, published_at
  FROM compared
 WHERE (live, shadow) IS DISTINCT FROM (live_before, shadow_before)
 ORDER BY edition DESC
 LIMIT %(most)s
"""


def digest(places: Iterable[Place], sources: dict[tuple[str, int], bytes]) -> bytes:
    """SHA-256 over rule, version, shadow and the SHA-256 of the text of each, sorted."""
    lines = [
        f"{one.rule} {one.version} {int(one.shadow)} {sources[one.rule, one.version].hex()}\n"
        for one in sorted(places)
    ]
    return hashlib.sha256("".join(lines).encode()).digest()


def columns(places: Sequence[Place]) -> list[list[str] | list[int] | list[bool]]:
    """The places as `FILL` takes them."""
    return [[one.rule for one in places], [one.version for one in places], [one.shadow for one in places]]


def placed(place: Place) -> Change:
    """A change: the version comes in, in place of the one that stands there, and stands nowhere else."""

    def change(present: Sequence[Place]) -> list[Place]:
        if place in present:
            raise _nothing_to_do()
        kept = [
            one
            for one in present
            if one.rule != place.rule or (one.shadow != place.shadow and one.version != place.version)
        ]
        return [*kept, place]

    return change


def without(rule: str, *, shadow_only: bool) -> Change:
    """A change: the rule goes, or only its shadow does."""

    def change(present: Sequence[Place]) -> list[Place]:
        kept = [one for one in present if one.rule != rule or (shadow_only and not one.shadow)]
        if len(kept) == len(present):
            raise _nothing_to_do()
        return kept

    return change


async def amend(cx: AsyncConnection, change: Change, by: Decided) -> Edition:
    """The next edition: the present one, as ``change`` makes it.

    Raises:
        RefusedError: 409, ``change`` changes nothing, or there are too many rules.
    """
    await cx.execute(LOCK, (LOCK_KEY,))
    present = [Place(*row) for row in await (await cx.execute(_PLACES)).fetchall()]
    places = change(present)
    if len(places) > RULES_MOST:
        zh, en = (
            f"一个规则集最多{RULES_MOST}条规则。",
            f"An edition holds {RULES_MOST} rules at most: withdraw one.",
        )
        raise RefusedError(409, zh, en)
    rules, numbers, shadows = columns(places)
    found = await (await cx.execute(SOURCES, (rules, numbers))).fetchall()
    made = digest(places, {(rule, version): sha for rule, version, sha in found})
    row = await (await cx.execute(MAKE, (made, by.reason, by.actor))).fetchone()
    number = int(row[0]) if row else 0
    await cx.execute(FILL, (number, rules, numbers, shadows))
    return await get(cx, number)


async def get(cx: AsyncConnection, number: int) -> Edition:
    """One edition.

    Raises:
        RefusedError: 404, there is none.
    """
    async with cx.cursor(row_factory=class_row(Edition)) as cursor:
        await cursor.execute(_EDITIONS, {"number": number, "limit": 1, "offset": 0})
        found = await cursor.fetchone()
    if found is None:
        raise RefusedError(404, f"没有第{number}号规则集。", f"There is no edition {number} of rules.")
    return found


async def find(cx: AsyncConnection, asked: PageQuery) -> Page[Edition]:
    """The editions, newest first."""
    counted = await (await cx.execute("SELECT count(*) FROM monitor.edition")).fetchone()
    async with cx.cursor(row_factory=class_row(Edition)) as cursor:
        await cursor.execute(_EDITIONS, {"number": None, "limit": asked.limit, "offset": asked.offset})
        items = await cursor.fetchall()
    return Page(items=items, total=counted[0] if counted else 0, limit=asked.limit, offset=asked.offset)


async def steps(cx: AsyncConnection, rule: str) -> list[Step]:
    """When and why ``rule`` came into force, changed or went, newest first, `STEPS_MOST` at most."""
    async with cx.cursor(row_factory=class_row(Step)) as cursor:
        return await (await cursor.execute(_STEPS, {"rule": rule, "most": STEPS_MOST})).fetchall()


async def newest(cx: AsyncConnection) -> int | None:
    """Number of the edition in force, None before the first."""
    row = await (await cx.execute(_NEWEST)).fetchone()
    return row[0] if row else None


def _nothing_to_do() -> RefusedError:
    return RefusedError(
        409,
        "执行中的规则集已是如此,没有改变。",
        "The rules in force are so already: nothing was changed.",
    )
