"""红字冲销: a voucher is undone by another one with the same lines, negative; once only."""

import datetime as dt

from psycopg import AsyncConnection

from jincai_ledger import drafts
from jincai_ledger.drafts import Wanted
from jincai_ledger.entries import Line
from jincai_ledger.refusal import RefusedError

# Corrected elsewhere, or never.
NOT_HERE = frozenset({"payment", "red", "close", "carry"})

_VOUCHER = """
SELECT v.fiscal_year, v.division, v.period, v.voucher_no, v.source, v.source_id,
       (SELECT u.id FROM ledger.voucher AS u WHERE u.undoes = v.id)
  FROM ledger.voucher AS v
 WHERE v.id = %s
"""
_LINES = """
SELECT account, item, agency_code, -debit, -credit
  FROM ledger.voucher_line
 WHERE voucher_id = %s
 ORDER BY line_no
"""


async def request(
    cx: AsyncConnection, voucher: int, *, vou_date: dt.date, summary: str, key: str, by: str
) -> int:
    """Ask for the red correction of ``voucher``, to be booked by a checker on ``vou_date``; the draft's id.

    Raises:
        RefusedError: there is no such voucher, it was undone, or its own side corrects it.
    """
    row = await (await cx.execute(_VOUCHER, (voucher,))).fetchone()
    if row is None:
        raise RefusedError(f"没有凭证 {voucher}", f"there is no voucher {voucher}", 404)
    fiscal_year, division, period, number, source, source_id, undone_by = row
    _refuse_source(source, source_id)
    lines = await (await cx.execute(_LINES, (voucher,))).fetchall()
    wanted = Wanted(
        idempotency_key=key,
        fiscal_year=fiscal_year,
        division=division,
        kind="red",
        vou_date=dt.date(fiscal_year, 1, 1) if period == 0 else vou_date,
        summary=summary or f"冲销第{period}期第{number}号凭证",
        lines=tuple(Line(*line) for line in lines),
        undoes=voucher,
        in_opening=period == 0,
    )
    if undone_by is not None and await drafts.known(cx, wanted) is None:
        raise RefusedError(
            f"凭证已被凭证 {undone_by} 冲销", f"the voucher was undone already by voucher {undone_by}"
        )
    return await drafts.submit(cx, wanted, by)


def _refuse_source(source: str, source_id: int | None) -> None:
    if source == "payment":
        where = f"/payment/payments/{source_id}"
        raise RefusedError(
            f"支付凭证在支付系统更正:请对支付 {source_id} 办理退款或更正({where}),账务随之红字入账",
            f"booked for payment {source_id}: refund or correct it there ({where}), the ledger follows",
        )
    if source == "red":
        raise RefusedError(
            "冲销凭证不能再冲销,请另行编制手工凭证", "a correction is not undone: prepare a manual voucher"
        )
    if source in {"close", "carry"}:
        raise RefusedError(
            "年结凭证不能冲销;请在新年度编制手工凭证调整",
            "what the year's close booked stands: adjust it by a manual voucher in the new year",
        )
