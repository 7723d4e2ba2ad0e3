"""Booking vouchers of any number of lines (多行凭证记账)."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection

_IDS = "SELECT nextval('ledger.voucher_id') FROM generate_series(1, %s)"
_BOOK = """
SELECT ledger.book_lines(
           ARRAY(SELECT e FROM jsonb_populate_recordset(NULL::ledger.entry, %s) AS e),
           ARRAY(SELECT l FROM jsonb_populate_recordset(NULL::ledger.entry_line, %s) AS l))
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a voucher: ``debit`` or ``credit`` in fen, the other is 0; red entries are negative."""

    account: str
    item: str = ""
    agency_code: str = ""
    debit: int = 0
    credit: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A voucher to be booked. ``period``: 0 opening, 1–12 months, 13 year-end; ``undoes``: by 红字冲销."""

    fiscal_year: int
    division: str
    period: int
    vou_date: dt.date
    summary: str
    source: str
    lines: tuple[Line, ...]
    made_by: str
    checked_by: str
    source_id: int | None = None
    undoes: int | None = None


def on_side(account: str, item: str, net: int) -> Line:
    """The line that puts ``net`` fen on the debit side, or on the credit side what is below zero."""
    return Line(account, item, debit=max(net, 0), credit=max(-net, 0))


async def book(cx: AsyncConnection, entries: Sequence[Entry]) -> list[int]:
    """Book ``entries``, all or none; the ids of their vouchers in their order.

    Raises:
        psycopg.errors.Error: ``JC003``, a period is closed; ``JC005``, one does not balance.
    """
    if not entries:
        return []
    ids = [row[0] for row in await (await cx.execute(_IDS, (len(entries),))).fetchall()]
    vouchers, lines = [], []
    for number, entry in zip(ids, entries, strict=True):
        vouchers.append(
            {
                "voucher_id": number,
                "fiscal_year": entry.fiscal_year,
                "division": entry.division,
                "period": entry.period,
                "vou_date": entry.vou_date.isoformat(),
                "summary": entry.summary,
                "source": entry.source,
                "source_id": entry.source_id,
                "undoes": entry.undoes,
                "made_by": entry.made_by,
                "checked_by": entry.checked_by,
            }
        )
        lines += [
            {
                "voucher_id": number,
                "line_no": place,
                "account": line.account,
                "item": line.item,
                "agency_code": line.agency_code,
                "debit": line.debit,
                "credit": line.credit,
            }
            for place, line in enumerate(entry.lines, 1)
        ]
    await cx.execute(_BOOK, (json.dumps(vouchers), json.dumps(lines)))
    return ids
