"""待办: what waits for the one who looks, in every book that they reach."""

import datetime as dt

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_budget.procedure import MOVES

SHOWN_MOST = 200


class Waiting(BaseModel):
    """One thing that waits; ``what`` is a state of a proposal or a kind of change, ``amount`` in fen."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    what: str
    amount: int
    made_by: str
    since: dt.datetime


_PROPOSALS = """
SELECT p.id, p.fiscal_year, p.division, p.agency_code, p.state AS what, s.amount, s.made_by, s.at AS since
  FROM budget.proposal AS p
 CROSS JOIN LATERAL (SELECT amount, made_by, at FROM budget.proposal_step
                      WHERE proposal_id = p.id ORDER BY id DESC LIMIT 1) AS s
 WHERE p.state = ANY (%s)
 ORDER BY s.at LIMIT %s
"""
# Nobody decides their own: those wait for others.
_CHANGES = """
SELECT id, fiscal_year, division, agency_code, kind AS what, amount, made_by, made_at AS since
  FROM budget.change_request
 WHERE state = 'requested' AND made_by <> %s
 ORDER BY id LIMIT %s
"""


async def proposals(cx: AsyncConnection, who: Principal) -> list[Waiting]:
    """Proposals whose next step is with ``who``, longest waiting first."""
    states = sorted({state for (_, state), (_, needed) in MOVES.items() if needed in who.permissions})
    async with cx.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(_PROPOSALS, (states, SHOWN_MOST))).fetchall()


async def changes(cx: AsyncConnection, who: Principal) -> list[Waiting]:
    """Change requests that ``who`` may decide, longest waiting first."""
    if "budget.approve" not in who.permissions:
        return []
    async with cx.cursor(row_factory=class_row(Waiting)) as cursor:
        return await (await cursor.execute(_CHANGES, (who.actor, SHOWN_MOST))).fetchall()
