"""常用查询: questions that a person keeps by name, alone or for others of the same scope."""

from typing import Annotated

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment.desk import DeskError
from jincai_payment.fund_query.asked import Criteria, Sort

OWN_MOST = 100
SHOWN_MOST = 200

Name = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]

# One after the other for one person, so that none slips in above the bound.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('payment.saved_query ' || %s, 0))"
_COUNT = "SELECT count(*) FROM payment.saved_query WHERE made_by = %s AND name <> %s"
_KEEP = """
INSERT INTO payment.saved_query (made_by, name, shared, asked, divisions, agencies)
SELECT %(made_by)s, %(name)s, %(shared)s, %(asked)s,
       CASE WHEN auth.sees_all() THEN NULL ELSE auth.divisions() END, auth.agencies()
    ON CONFLICT (made_by, name) DO UPDATE
   SET shared = excluded.shared, asked = excluded.asked, divisions = excluded.divisions,
       agencies = excluded.agencies, made_at = excluded.made_at
RETURNING id, name, shared, asked, made_by, true AS own
"""
# Which of those that others share may be seen, the policy says.
_LIST = """
SELECT id, name, shared, asked, made_by, made_by = %(actor)s AS own
  FROM payment.saved_query
 WHERE made_by = %(actor)s OR shared
 ORDER BY made_by = %(actor)s DESC, name, id
 LIMIT %(most)s
"""
_DROP = "DELETE FROM payment.saved_query WHERE id = %s AND made_by = %s RETURNING id"


class SavedAsked(BaseModel):
    """A question to be kept; one of the same name is replaced."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    shared: bool = False
    asked: Criteria
    sort: Sort = "-pay_date"


class Saved(BaseModel):
    """A kept question: ``asked`` as the search's parameters, amounts in fen; ``own``: the asker's."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    shared: bool
    asked: dict[str, str | int]
    made_by: str
    own: bool


async def keep(cx: AsyncConnection, principal: Principal, wanted: SavedAsked) -> Saved:
    """Keep it, in place of one's own of the same name.

    Raises:
        DeskError: one keeps `OWN_MOST` already, or asks for nothing.
    """
    asked = wanted.asked.criteria()
    if not asked:
        raise DeskError(422, "没有查询条件可保存。", "There is no criterion to keep.")
    await cx.execute(_LOCK, (principal.actor,))
    row = await (await cx.execute(_COUNT, (principal.actor, wanted.name))).fetchone()
    if row and row[0] >= OWN_MOST:
        raise DeskError(
            409,
            f"每人最多保存 {OWN_MOST} 个常用查询,请先删除不用的。",
            f"Nobody keeps more than {OWN_MOST} queries; delete one first.",
        )
    arguments = {
        "made_by": principal.actor,
        "name": wanted.name,
        "shared": wanted.shared,
        "asked": Jsonb(asked | {"sort": wanted.sort}),
    }
    async with cx.cursor(row_factory=class_row(Saved)) as cursor:
        kept = await (await cursor.execute(_KEEP, arguments)).fetchone()
    if kept is None:
        raise RuntimeError("an insert that returns its row returned none")
    return kept


async def every(cx: AsyncConnection, principal: Principal) -> list[Saved]:
    """One's own, then those that others share."""
    async with cx.cursor(row_factory=class_row(Saved)) as cursor:
        await cursor.execute(_LIST, {"actor": principal.actor, "most": SHOWN_MOST})
        return await cursor.fetchall()


async def drop(cx: AsyncConnection, principal: Principal, number: int) -> None:
    """Delete one's own.

    Raises:
        DeskError: there is none, or it is somebody else's.
    """
    if await (await cx.execute(_DROP, (number, principal.actor))).fetchone() is None:
        raise DeskError(
            404, f"您没有编号为 {number} 的常用查询。", f"You keep no query with the number {number}."
        )
