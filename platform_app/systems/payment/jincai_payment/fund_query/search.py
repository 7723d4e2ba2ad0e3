"""Finding payments: ids from ``payment.find()``, which knows the reader's scope, then the payments."""

import datetime as dt
from collections.abc import Sequence

from jincai.tables import EXPORT_MOST, Row
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from jincai_payment.bank.state import BANK_JOINS, BANK_STATE
from jincai_payment.fund_query.asked import COUNT_MOST, COUNT_MOST_BY_BANK, FundQuery

_FIND = "SELECT ids, total FROM payment.find(%s, %s, %s, %s, %s)"
# The ids alone decide nothing: rows come through the policies of payment.payment.
_ROWS = f"""
SELECT p.id, p.pay_date, p.fiscal_year, p.division, p.agency_code, p.payee_name, p.payee_account, p.purpose,
       p.kind, p.pay_type, p.set_mode_code, p.fund_type_code, p.bgt_type_code, p.exp_func_code,
       p.dep_exp_eco_code, p.project_code, p.amount, {BANK_STATE} AS bank_state
  FROM unnest(%s::bigint[]) WITH ORDINALITY AS found (id, place)
  JOIN payment.payment AS p ON p.id = found.id
  {BANK_JOINS}
 ORDER BY found.place
"""  # noqa: S608 - our own words
# What was committed and is not yet found: after the cursor, and late in its gaps.
_BEHIND = """
SELECT count(*), extract(epoch FROM clock_timestamp() - min(at))::float8
  FROM (SELECT o.at
          FROM (SELECT o.at, o.kind FROM hub.outbox AS o
                 WHERE o.id > (SELECT c.done FROM payment.search_cursor AS c)
                 ORDER BY o.id LIMIT %(most)s) AS o
         WHERE o.kind = 'payment'
         UNION ALL
        SELECT o.at
          FROM payment.search_cursor AS c
         CROSS JOIN LATERAL unnest(c.young + c.old) AS gap
         CROSS JOIN LATERAL (SELECT o.at, o.kind FROM hub.outbox AS o
                              WHERE o.id >= lower(gap) AND o.id < upper(gap)
                              ORDER BY o.id LIMIT %(most)s) AS o
         WHERE o.kind = 'payment'
         LIMIT %(most)s) AS waiting
"""
BEHIND_MOST = 10_000


class Behind(BaseModel):
    """What was paid and cannot be found yet: how many payments (`BEHIND_MOST`: or more), since how long."""

    model_config = ConfigDict(frozen=True)

    payments: int
    seconds: float


class Found(BaseModel):
    """One payment that was found; ``amount`` in fen. ``bank_state`` is None of what only undoes another."""

    model_config = ConfigDict(frozen=True)

    id: int
    pay_date: dt.date
    fiscal_year: int
    division: str
    agency_code: str
    payee_name: str
    payee_account: str
    purpose: str
    kind: str
    pay_type: str
    set_mode_code: str
    fund_type_code: str
    bgt_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    amount: int
    bank_state: str | None


class Answer(BaseModel):
    """A part of what was found; ``total`` counts it, unless ``more``: then there are more than that."""

    model_config = ConfigDict(frozen=True)

    items: Sequence[Found]
    total: int
    more: bool
    limit: int
    offset: int
    behind: Behind


async def behind(cx: AsyncConnection) -> Behind:
    """How far the search is behind what was posted, for the reader's own divisions."""
    row = await (await cx.execute(_BEHIND, {"most": BEHIND_MOST})).fetchone()
    count, seconds = row or (0, None)
    return Behind(payments=count, seconds=round(max(0.0, seconds or 0.0), 1))


def most(asked: FundQuery) -> int:
    """How many are counted."""
    return COUNT_MOST if asked.bank_state is None else COUNT_MOST_BY_BANK


async def find(cx: AsyncConnection, asked: FundQuery) -> tuple[list[Row], int, bool]:
    """The rows of the page, how many there are, and whether that is only a lower bound."""
    bound = most(asked)
    ids, total = await _ids(cx, asked, asked.limit, asked.offset, bound)
    return await _rows(cx, ids), min(total, bound), total > bound


async def every(cx: AsyncConnection, asked: FundQuery) -> list[Row] | None:
    """All rows for a file, None if there are more than it holds."""
    ids, _ = await _ids(cx, asked, EXPORT_MOST + 1, 0, most(asked))
    return None if len(ids) > EXPORT_MOST else await _rows(cx, ids)


async def answer(cx: AsyncConnection, asked: FundQuery) -> Answer:
    """What a program is answered."""
    rows, total, more = await find(cx, asked)
    items = [Found(**row) for row in rows]
    return Answer(
        items=items,
        total=total,
        more=more,
        limit=asked.limit,
        offset=asked.offset,
        behind=await behind(cx),
    )


async def _ids(
    cx: AsyncConnection, asked: FundQuery, take: int, skip: int, bound: int
) -> tuple[list[int], int]:
    arguments = (Jsonb(asked.question()), asked.sort, take, skip, bound)
    row = await (await cx.execute(_FIND, arguments)).fetchone()
    return (row[0], row[1]) if row else ([], 0)


async def _rows(cx: AsyncConnection, ids: list[int]) -> list[Row]:
    async with cx.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(_ROWS, (ids,))).fetchall()
