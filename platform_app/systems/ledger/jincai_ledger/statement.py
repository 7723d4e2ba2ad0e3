"""收入支出表: revenue and expenditure by item, in the periods asked for and since January. Sums in fen."""

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_ledger import chart
from jincai_ledger.asked import Range

# Period 13 takes revenue and expenditure to zero, so it is no part of what came in and went out.
_ROWS = """
SELECT account, item,
       coalesce(sum(debit - credit) FILTER (WHERE period >= %(first)s), 0)::bigint AS this_period,
       sum(debit - credit)::bigint AS cumulative
  FROM ledger.balance
 WHERE (division, fiscal_year) = (%(division)s, %(fiscal_year)s) AND period <= least(%(last)s, 12)
   AND account = ANY (%(accounts)s)
 GROUP BY account, item
 ORDER BY account, item
"""


class Row(BaseModel):
    """One item of an account; revenue counts on the credit side, expenditure on the debit side."""

    model_config = ConfigDict(frozen=True)

    account: str
    name: str
    item: str
    item_name: str
    this_period: int
    cumulative: int


class Part(BaseModel):
    """Revenue or expenditure, with its sums."""

    model_config = ConfigDict(frozen=True)

    rows: list[Row]
    this_period: int
    cumulative: int


class Statement(BaseModel):
    """Both parts; the surplus is revenue minus expenditure."""

    model_config = ConfigDict(frozen=True)

    revenue: Part
    expenditure: Part
    surplus_this_period: int
    surplus_cumulative: int
    # Without a chart in force nobody knows what is revenue.
    chart_in_force: bool


async def draw_up(cx: AsyncConnection, asked: Range) -> Statement:
    """The statement that was asked for; its cumulative column begins with the year."""
    known = await chart.accounts(cx, asked.fiscal_year)
    items = await chart.item_names(cx, asked.fiscal_year)
    sign = {"revenue": -1, "expenditure": 1}
    flows = [code for code, account in known.items() if account.kind in sign]
    found = await (await cx.execute(_ROWS, {**asked.model_dump(), "accounts": flows})).fetchall()

    def part(kind: str) -> Part:
        rows = [
            Row(
                account=account,
                name=known[account].name,
                item=item,
                item_name=items.get(item, ""),
                this_period=sign[kind] * this_period,
                cumulative=sign[kind] * cumulative,
            )
            for account, item, this_period, cumulative in found
            if known[account].kind == kind
        ]
        return Part(
            rows=rows,
            this_period=sum(row.this_period for row in rows),
            cumulative=sum(row.cumulative for row in rows),
        )

    revenue, expenditure = part("revenue"), part("expenditure")
    return Statement(
        revenue=revenue,
        expenditure=expenditure,
        surplus_this_period=revenue.this_period - expenditure.this_period,
        surplus_cumulative=revenue.cumulative - expenditure.cumulative,
        chart_in_force=bool(known),
    )
