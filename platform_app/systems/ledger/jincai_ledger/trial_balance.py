"""试算平衡表: opening, movements and closing of every account, from kept balances alone. Sums in fen."""

from collections.abc import Iterable

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_ledger import chart
from jincai_ledger.asked import TrialBalanceQuery

_ROWS = """
SELECT account, CASE WHEN %(by_item)s THEN item ELSE '' END AS item,
       coalesce(sum(debit - credit) FILTER (WHERE period < %(first)s), 0)::bigint AS opening,
       coalesce(sum(debit) FILTER (WHERE period >= %(first)s), 0)::bigint AS debit,
       coalesce(sum(credit) FILTER (WHERE period >= %(first)s), 0)::bigint AS credit
  FROM ledger.balance
 WHERE (division, fiscal_year) = (%(division)s, %(fiscal_year)s) AND period <= %(last)s
 GROUP BY 1, 2
 ORDER BY 1, 2
"""


class Row(BaseModel):
    """One account, perhaps one of its items: balances stand on the side they are on."""

    model_config = ConfigDict(frozen=True)

    account: str
    name: str
    item: str
    item_name: str
    opening_debit: int
    opening_credit: int
    debit: int
    credit: int
    closing_debit: int
    closing_credit: int


class TrialBalance(BaseModel):
    """The rows, their sums, and whether each pair of sums agrees."""

    model_config = ConfigDict(frozen=True)

    rows: list[Row]
    total: Row
    balanced: bool


async def draw_up(cx: AsyncConnection, asked: TrialBalanceQuery) -> TrialBalance:
    """The trial balance that was asked for."""
    found = await (await cx.execute(_ROWS, asked.model_dump())).fetchall()
    accounts = chart.account_names(await chart.accounts(cx, asked.fiscal_year))
    items = await chart.item_names(cx, asked.fiscal_year) if asked.by_item else {}
    rows = [
        row_of(
            account=account,
            name=accounts.get(account, ""),
            item=item,
            item_name=items.get(item, ""),
            opening=opening,
            debit=debit,
            credit=credit,
        )
        for account, item, opening, debit, credit in found
    ]
    total = total_of(rows)
    balanced = (
        total.opening_debit == total.opening_credit
        and total.debit == total.credit
        and total.closing_debit == total.closing_credit
    )
    return TrialBalance(rows=rows, total=total, balanced=balanced)


def row_of(
    *, account: str, name: str, item: str, item_name: str, opening: int, debit: int, credit: int
) -> Row:
    """A row from the net opening (debit positive) and the movements."""
    closing = opening + debit - credit
    return Row(
        account=account,
        name=name,
        item=item,
        item_name=item_name,
        opening_debit=max(opening, 0),
        opening_credit=max(-opening, 0),
        debit=debit,
        credit=credit,
        closing_debit=max(closing, 0),
        closing_credit=max(-closing, 0),
    )


def total_of(rows: Iterable[Row]) -> Row:
    """The sums of every column."""
    every = list(rows)
    return Row(
        account="",
        name="",
        item="",
        item_name="",
        opening_debit=sum(row.opening_debit for row in every),
        opening_credit=sum(row.opening_credit for row in every),
        debit=sum(row.debit for row in every),
        credit=sum(row.credit for row in every),
        closing_debit=sum(row.closing_debit for row in every),
        closing_credit=sum(row.closing_credit for row in every),
    )
