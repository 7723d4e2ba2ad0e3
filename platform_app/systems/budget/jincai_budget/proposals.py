"""Proposals (部门预算): one for each unit and year, with its trail."""

import datetime as dt
from typing import LiteralString

from jincai import paging
from jincai.auth.principal import Principal
from jincai.paging import BooksQuery, DivisionCode, Page, Year
from jincai.standards import codes
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai_budget.procedure import State
from jincai_budget.refusals import RefusalError

AGENCY = r"^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$"


class NewProposal(BaseModel):
    """Whose budget, of which year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: Year
    division: DivisionCode
    agency_code: str = Field(pattern=AGENCY)


class ProposalQuery(BooksQuery):
    """Which proposals; what is not given does not filter."""

    state: State | None = None
    agency_code: str | None = Field(default=None, pattern=AGENCY)


class Proposal(BaseModel):
    """One proposal; ``seen`` is its last step, which the next step must name."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    state: State
    made_by: str
    made_at: dt.datetime
    seen: int


class Step(BaseModel):
    """One step of the trail; ``amount`` in fen: what the stage that it is about came to then."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    from_state: str
    to_state: str
    reason: str
    amount: int
    made_by: str
    at: dt.datetime


_FIELDS: LiteralString = """
SELECT p.id, p.fiscal_year, p.division, p.agency_code, p.state, p.made_by, p.made_at,
       (SELECT max(s.id) FROM budget.proposal_step AS s WHERE s.proposal_id = p.id) AS seen
  FROM budget.proposal AS p
"""
_WHERE: LiteralString = """
 WHERE p.fiscal_year = %(fiscal_year)s AND p.division = %(division)s
   AND (%(state)s::text IS NULL OR p.state = %(state)s)
   AND (%(agency_code)s::text IS NULL OR p.agency_code = %(agency_code)s)
"""
_COUNTED: LiteralString = "SELECT count(*) FROM budget.proposal AS p"
_COUNT: LiteralString = f"{_COUNTED} {_WHERE}"
_ROWS: LiteralString = f"{_FIELDS} {_WHERE} ORDER BY p.agency_code LIMIT %(limit)s OFFSET %(offset)s"

_CREATE = """
INSERT INTO budget.proposal (fiscal_year, division, agency_code, made_by)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(actor)s)
    ON CONFLICT (fiscal_year, division, agency_code) DO NOTHING
RETURNING id
"""
_FIRST_STEP = """
INSERT INTO budget.proposal_step
       (proposal_id, fiscal_year, division, agency_code, kind, from_state, to_state, amount, made_by)
VALUES (%(id)s, %(fiscal_year)s, %(division)s, %(agency_code)s, 'create', '', 'draft', 0, %(actor)s)
"""
_OF_UNIT = """
SELECT id FROM budget.proposal WHERE (fiscal_year, division, agency_code)
                                   = (%(fiscal_year)s, %(division)s, %(agency_code)s)
"""
# A division whose units the year's edition does not list yet takes any unit.
_LISTS_UNITS = """
SELECT EXISTS (SELECT FROM standards.in_force AS f
                 JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
                WHERE f.fiscal_year = %(fiscal_year)s AND c.element = 'agency'
                  AND c.attributes ->> 'division' = %(division)s)
"""
_STEPS = """
SELECT id, kind, from_state, to_state, reason, amount, made_by, at
  FROM budget.proposal_step WHERE proposal_id = %s ORDER BY id
"""


async def find(cx: AsyncConnection, asked: ProposalQuery) -> Page[Proposal]:
    """The proposals of a division in a year, by unit."""
    return await paging.fetch(cx, Proposal, rows=_ROWS, count=_COUNT, asked=asked)


async def get(cx: AsyncConnection, number: int) -> Proposal:
    """One proposal.

    Raises:
        RefusalError: 404.
    """
    async with cx.cursor(row_factory=class_row(Proposal)) as cursor:
        found = await (await cursor.execute(f"{_FIELDS} WHERE p.id = %s", (number,))).fetchone()
    if found is None:
        raise RefusalError(404, f"没有编号为 {number} 的部门预算。", f"There is no proposal {number}.")
    return found


async def locked(cx: AsyncConnection, number: int) -> Proposal:
    """One proposal, as it stays until the transaction ends.

    Raises:
        RefusalError: 404.
    """
    # First the lock, then a statement of its own: only that sees what the one before us committed.
    await cx.execute("SELECT FROM budget.proposal WHERE id = %s FOR NO KEY UPDATE", (number,))
    return await get(cx, number)


async def trail(cx: AsyncConnection, number: int) -> list[Step]:
    """Every step of a proposal, oldest first."""
    async with cx.cursor(row_factory=class_row(Step)) as cursor:
        return await (await cursor.execute(_STEPS, (number,))).fetchall()


async def create(cx: AsyncConnection, asked: NewProposal, who: Principal) -> Proposal:
    """The unit's proposal of the year: a new one, or the one that is there.

    Raises:
        RefusalError: 403, another unit's; 422, not among the division's units in the standards.
    """
    refuse_beyond(who, asked.division, asked.agency_code)
    given = {**asked.model_dump(), "actor": who.actor}
    listed = await (await cx.execute(_LISTS_UNITS, given)).fetchone()
    if listed and listed[0] and await codes.unknown(cx, asked.fiscal_year, [("agency", asked.agency_code)]):
        raise RefusalError(
            422,
            f"{asked.fiscal_year} 年度标准中没有预算单位 {asked.agency_code}。请先在标准中增加该单位。",
            f"The standards of {asked.fiscal_year} have no unit {asked.agency_code}; add it to them first.",
        )
    made = await (await cx.execute(_CREATE, given)).fetchone()
    if made:
        await cx.execute(_FIRST_STEP, {**given, "id": made[0]})
    else:
        made = await (await cx.execute(_OF_UNIT, given)).fetchone()
    if made is None:
        raise AssertionError("a proposal that is in the way is not there")
    return await get(cx, made[0])


def refuse_beyond(who: Principal, division: str, agency_code: str) -> None:
    """Refuse what the session does not reach; PostgreSQL would refuse it, too, with fewer words.

    Raises:
        RefusalError: 403.
    """
    if (who.divisions is None or division in who.divisions) and (
        who.agencies is None or agency_code in who.agencies
    ):
        return
    raise RefusalError(
        403,
        f"区划 {division} 的单位 {agency_code} 不在您的权限范围内。",
        f"Unit {agency_code} of division {division} is beyond what you may work on.",
    )
