"""Steps of an edition: begun as a draft, changed, discarded or published; each is logged with who took it."""

from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from jincai.standards import editions
from jincai.standards.editions import Edition, RefusedError

# A hundred thousand rows take seconds, more than the usual statement may.
WITHIN_SECONDS = 60
PATIENCE = f"SET LOCAL statement_timeout = '{WITHIN_SECONDS}s'"

Base = Literal["in_force", "empty"]
Action = Literal["created", "imported", "deleted", "discarded", "published"]

_LOCK = """
SELECT fiscal_year, number, state, made_by, revision, changed_by, published_by
  FROM standards.edition
 WHERE fiscal_year = %s AND {which}
   FOR NO KEY UPDATE
"""
_LOCK_DRAFT = _LOCK.format(which="state = 'draft'")
_LOCK_ONE = _LOCK.format(which="number = %s")
# Two people begin a draft at once: the second finds the first one's.
_BEGIN = """
INSERT INTO standards.edition (fiscal_year, number, note, made_by, based_on)
SELECT %(year)s, coalesce(max(e.number), 0) + 1, %(note)s, %(actor)s,
       (SELECT f.edition FROM standards.in_force AS f
         WHERE f.fiscal_year = %(year)s AND %(base)s = 'in_force')
  FROM standards.edition AS e
 WHERE e.fiscal_year = %(year)s
    ON CONFLICT DO NOTHING
RETURNING number, based_on
"""
_COPY = """
INSERT INTO standards.code (fiscal_year, edition, element, code, name, parent, attributes)
SELECT fiscal_year, %s, element, code, name, parent, attributes
  FROM standards.code
 WHERE fiscal_year = %s AND edition = %s
"""
_TOUCH = """
UPDATE standards.edition
   SET revision = revision + 1,
       changed_by = CASE WHEN made_by = %(actor)s OR %(actor)s = ANY (changed_by) THEN changed_by
                         ELSE changed_by || %(actor)s::text END
 WHERE fiscal_year = %(year)s AND number = %(number)s
RETURNING revision
"""
_LOG = (
    "INSERT INTO standards.edition_log (fiscal_year, edition, action, by, detail) VALUES (%s, %s, %s, %s, %s)"
)
_PUBLISH = """
UPDATE standards.edition
   SET state = 'published', published_by = %s, published_at = clock_timestamp()
 WHERE fiscal_year = %s AND number = %s AND state = 'draft'
"""


class Locked(BaseModel):
    """What must not change while a step is taken."""

    model_config = ConfigDict(frozen=True)

    fiscal_year: int
    number: int
    state: Literal["draft", "published"]
    made_by: str
    revision: int
    changed_by: list[str]
    published_by: str | None


async def lock_draft(cx: AsyncConnection, year: int) -> Locked:
    """The draft of ``year``, locked: whoever changes or publishes it waits.

    Raises:
        RefusedError: 404, there is none.
    """
    async with cx.cursor(row_factory=class_row(Locked)) as cursor:
        found = await (await cursor.execute(_LOCK_DRAFT, (year,))).fetchone()
    if found is None:
        raise editions.no_draft(year)
    return found


async def begin(cx: AsyncConnection, year: int, base: Base, note: str, actor: str) -> Edition:
    """A draft of ``year`` made by ``actor``: a copy of the edition in force, or empty.

    Begun again by the same person before anything was changed it is the same draft.

    Raises:
        RefusedError: 409, there is a draft already, or nothing in force to copy.
    """
    await cx.execute(PATIENCE)
    given = {"year": year, "note": note, "actor": actor, "base": base}
    made = await (await cx.execute(_BEGIN, given)).fetchone()
    if made is None:
        there = await editions.draft(cx, year)
        if (there.made_by, there.revision, there.note) == (actor, 1, note):
            return there
        zh = f"{year}年已有草案(第{there.number}版,{there.made_by}编制),请先发布或撤销。"
        en = f"{year} has a draft (edition {there.number}, by {there.made_by}): publish or discard it first."
        raise RefusedError(409, zh, en)
    number, based_on = made
    if base == "in_force" and based_on is None:
        raise RefusedError(
            409,
            f"{year}年没有已发布的版本可复制,请选空白草案。",
            f"Nothing is in force in {year}: begin empty.",
        )
    if based_on is not None:
        await cx.execute(_COPY, (number, year, based_on))
    await log(cx, (year, number), "created", actor, {"base": based_on, "note": note})
    return await editions.get(cx, year, number)


async def touched(cx: AsyncConnection, edition: Locked, actor: str) -> int:
    """Note that ``actor`` changed the draft; its new revision."""
    given = {"year": edition.fiscal_year, "number": edition.number, "actor": actor}
    row = await (await cx.execute(_TOUCH, given)).fetchone()
    return int(row[0]) if row else edition.revision


async def log(
    cx: AsyncConnection, place: tuple[int, int], action: Action, actor: str, detail: dict[str, object]
) -> None:
    """Who did what to the edition at ``place``, its fiscal year and number."""
    await cx.execute(_LOG, (*place, action, actor, Jsonb(detail)))


async def discard(cx: AsyncConnection, year: int, reason: str, actor: str) -> None:
    """Take the draft of ``year`` away; the log keeps that there was one, and why it went.

    Raises:
        RefusedError: 404, there is none.
    """
    await cx.execute(PATIENCE)
    edition = await lock_draft(cx, year)
    given = (year, edition.number)
    gone = (
        await cx.execute("DELETE FROM standards.code WHERE fiscal_year = %s AND edition = %s", given)
    ).rowcount
    await cx.execute("DELETE FROM standards.edition WHERE fiscal_year = %s AND number = %s", given)
    detail: dict[str, object] = {"reason": reason, "codes": gone, "made_by": edition.made_by}
    await log(cx, given, "discarded", actor, detail)


async def publish(cx: AsyncConnection, year: int, number: int, revision: int, actor: str) -> Edition:
    """Put the draft in force, as it is at ``revision``, which ``actor`` has seen and had no hand in.

    Asked again by the same person it is the same edition.

    Raises:
        RefusedError: 403, the publisher made or changed it; 404; 409, it changed meanwhile, is empty or was
            published by somebody else.
    """
    async with cx.cursor(row_factory=class_row(Locked)) as cursor:
        edition = await (await cursor.execute(_LOCK_ONE, (year, number))).fetchone()
    if edition is None:
        raise RefusedError(404, f"{year}年没有第{number}版。", f"There is no edition {number} of {year}.")
    if edition.state == "published":
        if edition.published_by == actor and edition.revision == revision:
            return await editions.get(cx, year, number)
        by = edition.published_by
        raise RefusedError(409, f"该版已由{by}发布。", f"It was published by {by} already.")
    if actor == edition.made_by or actor in edition.changed_by:
        zh = "编制或修改过草案的人不能发布,请由他人发布。"
        raise RefusedError(403, zh, "Who made or changed a draft does not publish it: ask somebody else.")
    if edition.revision != revision:
        zh = f"草案已改为第{edition.revision}次修订,请重新查看差异后再发布。"
        en = f"The draft is at revision {edition.revision} now: look at the difference again, then publish."
        raise RefusedError(409, zh, en)
    made = await editions.get(cx, year, number)
    if not made.codes:
        raise RefusedError(409, "草案没有任何代码,不能发布。", "The draft holds no code: import some first.")
    await cx.execute(_PUBLISH, (actor, year, number))
    await log(cx, (year, number), "published", actor, {"revision": revision, "codes": made.codes})
    return await editions.get(cx, year, number)
