"""Questions about drafts: the checker's inbox, and one draft with its lines."""

import datetime as dt

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_ledger.drafts import DraftKind, State
from jincai_ledger.refusal import RefusedError


class DraftLine(BaseModel):
    """One side of a draft; fen."""

    model_config = ConfigDict(frozen=True)

    account: str
    item: str
    agency_code: str
    debit: int
    credit: int


class Draft(BaseModel):
    """A draft with its lines; ``amount`` is the sum of the debit side in fen."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    period: int
    vou_date: dt.date
    summary: str
    kind: DraftKind
    undoes: int | None
    state: State
    made_by: str
    made_at: dt.datetime
    checked_by: str | None
    checked_at: dt.datetime | None
    reason: str
    voucher_id: int | None
    amount: int
    lines: list[DraftLine]


class DraftQuery(BooksQuery):
    """Which drafts; without ``state`` those of every state."""

    state: State | None = None


_SELECT = """
SELECT d.id, d.fiscal_year, d.division, d.period, d.vou_date, d.summary, d.kind, d.undoes, d.state, d.made_by,
       d.made_at, d.checked_by, d.checked_at, d.reason, d.voucher_id, l.amount, l.lines
  FROM ledger.voucher_draft AS d
 CROSS JOIN LATERAL (
           SELECT coalesce(sum(l.debit), 0)::bigint AS amount,
                  coalesce(json_agg(json_build_object('account', l.account, 'item', l.item, 'debit', l.debit,
                                                      'agency_code', l.agency_code, 'credit', l.credit)
                                    ORDER BY l.line_no), '[]') AS lines
             FROM ledger.voucher_draft_line AS l
            WHERE l.draft_id = d.id) AS l
"""
_WHERE = """
 WHERE d.fiscal_year = %(fiscal_year)s AND d.division = %(division)s
   AND (%(state)s::text IS NULL OR d.state = %(state)s)
"""
_COUNT = "SELECT count(*) FROM ledger.voucher_draft AS d" + _WHERE  # noqa: S608 - of this module's own text
_ROWS = _SELECT + _WHERE + " ORDER BY d.id DESC LIMIT %(limit)s OFFSET %(offset)s"
_ONE = _SELECT + " WHERE d.id = %s"


async def find(cx: AsyncConnection, asked: DraftQuery) -> Page[Draft]:
    """The drafts of a division in a year, the newest first."""
    return await paging.fetch(cx, Draft, rows=_ROWS, count=_COUNT, asked=asked)


async def get(cx: AsyncConnection, number: int) -> Draft:
    """The draft with the id ``number``.

    Raises:
        RefusedError: 404, the session sees none.
    """
    async with cx.cursor(row_factory=class_row(Draft)) as cursor:
        found = await (await cursor.execute(_ONE, (number,))).fetchone()
    if found is None:
        raise RefusedError(f"没有待记账凭证 {number}", f"there is no draft {number}", 404)
    return found
