"""What is asked of a voucher before a checker sees it: small functions that refuse, each for one reason."""

import datetime as dt
from collections.abc import Sequence

from jincai.standards import codes
from psycopg import AsyncConnection

from jincai_ledger import chart
from jincai_ledger.books import PeriodKey
from jincai_ledger.entries import Line
from jincai_ledger.refusal import RefusedError

_HOLD = """
INSERT INTO ledger.period (fiscal_year, division, period) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_HELD = """
SELECT closed_at IS NOT NULL FROM ledger.period WHERE (fiscal_year, division, period) = (%s, %s, %s) FOR SHARE
"""


def balanced(lines: Sequence[Line]) -> None:
    """Refuse a voucher of fewer than two lines, or whose sides differ; names the difference in yuan."""
    if len(lines) < 2:
        raise RefusedError("凭证至少要有两行分录", "a voucher has two lines at least", 422)
    difference = sum(line.debit for line in lines) - sum(line.credit for line in lines)
    if difference:
        yuan = f"{difference / 100:,.2f}"
        raise RefusedError(
            f"借贷不平:借方减贷方等于 {yuan} 元", f"debit minus credit is {yuan} yuan, not zero", 422
        )


def dated(fiscal_year: int, day: dt.date) -> None:
    """Refuse a date outside the fiscal year."""
    if day.year != fiscal_year:
        raise RefusedError(
            f"凭证日期 {day} 不在 {fiscal_year} 年度内", f"{day} is not in the fiscal year {fiscal_year}", 422
        )


async def coded(cx: AsyncConnection, fiscal_year: int, lines: Sequence[Line]) -> None:
    """Refuse accounts, items and units that the year's edition in force does not have."""
    asked = {("account", line.account) for line in lines}
    asked |= {("agency", line.agency_code) for line in lines if line.agency_code}
    wrong = [code for _, code in await codes.unknown(cx, fiscal_year, asked)]
    items = {line.item for line in lines if line.item}
    wrong += items - set(await chart.item_names(cx, fiscal_year, items)) if items else ()
    if wrong:
        named = chart.listed(wrong)
        raise RefusedError(
            f"{fiscal_year} 年现行标准中没有代码 {named};请改正,或先发布含有它的标准",
            f"not in the standards in force for {fiscal_year}: {named}; correct it, or publish them first",
            422,
        )


async def takes(cx: AsyncConnection, key: PeriodKey) -> None:
    """Refuse a closed period; an open one is held, so that no close overlooks what is written now."""
    await cx.execute(_HOLD, key)
    row = await (await cx.execute(_HELD, key)).fetchone()
    if row and row[0]:
        raise RefusedError(
            f"{key.division} 的 {key.fiscal_year} 年第 {key.period} 期已结账,请改用未结账的期间",
            f"period {key.period} of {key.fiscal_year} in {key.division} is closed: use one that is open",
        )
