"""One voucher with everything about it: lines with names, who made and checked it, what it undoes."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from pydantic import BaseModel, ConfigDict

from jincai_ledger import chart
from jincai_ledger.refusal import RefusedError


class NamedLine(BaseModel):
    """One side; names are those of the year's edition in force, "" where it has none. Fen."""

    model_config = ConfigDict(frozen=True)

    line_no: int
    account: str
    account_name: str
    item: str
    item_name: str
    agency_code: str
    agency_name: str
    debit: int
    credit: int


class VoucherRow(BaseModel):
    """A voucher's own row; ``undone_by`` is the correction's id, ``source_path`` leads to its source."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    period: int
    voucher_no: int
    vou_date: dt.date
    summary: str
    source: str
    source_id: int | None
    undoes: int | None
    undone_by: int | None
    made_by: str
    checked_by: str
    booked_at: dt.datetime


class VoucherDetail(VoucherRow):
    """The voucher with its lines and their sums."""

    source_path: str | None
    lines: list[NamedLine]
    debit: int
    credit: int


_VOUCHER = """
SELECT v.id, v.fiscal_year, v.division, v.period, v.voucher_no, v.vou_date, v.summary, v.source, v.source_id,
       v.undoes, u.id AS undone_by, v.made_by, v.checked_by, v.booked_at
  FROM ledger.voucher AS v
  LEFT JOIN ledger.voucher AS u ON u.undoes = v.id
 WHERE v.id = %s
"""
_LINES = """
SELECT line_no, account, item, agency_code, debit, credit
  FROM ledger.voucher_line
 WHERE voucher_id = %s
 ORDER BY line_no
"""


async def get(cx: AsyncConnection, number: int) -> VoucherDetail:
    """The voucher with the id ``number``.

    Raises:
        RefusedError: 404, the session sees none.
    """
    async with cx.cursor(row_factory=class_row(VoucherRow)) as cursor:
        found = await (await cursor.execute(_VOUCHER, (number,))).fetchone()
    if found is None:
        raise RefusedError(f"没有凭证 {number}", f"there is no voucher {number}", 404)
    async with cx.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(_LINES, (number,))).fetchall()
    accounts = chart.account_names(await chart.accounts(cx, found.fiscal_year))
    items = await chart.item_names(cx, found.fiscal_year, [row["item"] for row in rows])
    agencies = await chart.agency_names(cx, found.fiscal_year, [row["agency_code"] for row in rows])
    lines = [
        NamedLine(
            **row,
            account_name=accounts.get(row["account"], ""),
            item_name=items.get(row["item"], ""),
            agency_name=agencies.get(row["agency_code"], ""),
        )
        for row in rows
    ]
    return VoucherDetail(
        **found.model_dump(),
        source_path=path_of_source(found.source, found.source_id),
        lines=lines,
        debit=sum(line.debit for line in lines),
        credit=sum(line.credit for line in lines),
    )


def path_of_source(source: str, source_id: int | None) -> str | None:
    """Where the page about what a voucher was booked for is."""
    if source_id is None:
        return None
    if source == "payment":
        return f"/payment/payments/{source_id}"
    return f"/ledger/drafts/{source_id}" if source in {"manual", "opening", "red"} else None
