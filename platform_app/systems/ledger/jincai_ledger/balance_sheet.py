"""资产负债表: 资产 + 支出 = 负债 + 净资产 + 收入, at the year's beginning and after a period. Sums in fen."""

from typing import Literal

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_ledger import chart
from jincai_ledger.asked import SheetQuery
from jincai_ledger.chart import Account

_ROWS = """
SELECT account,
       coalesce(sum(debit - credit) FILTER (WHERE period = 0), 0)::bigint AS opening,
       sum(debit - credit)::bigint AS closing
  FROM ledger.balance
 WHERE (division, fiscal_year) = (%(division)s, %(fiscal_year)s) AND period <= %(last)s
 GROUP BY account
 ORDER BY account
"""
Group = Literal["asset", "expenditure", "liability", "net", "revenue", "unclassified"]
# What grows by debit stands on the left; what has no kind in the edition in force, too, and says so.
LEFT: tuple[Group, ...] = ("asset", "expenditure", "unclassified")
RIGHT: tuple[Group, ...] = ("liability", "net", "revenue")


class Row(BaseModel):
    """One account: its balance at the beginning of the year and now, positive on its group's side."""

    model_config = ConfigDict(frozen=True)

    account: str
    name: str
    opening: int
    closing: int


class Section(BaseModel):
    """The accounts of one kind and their sums."""

    model_config = ConfigDict(frozen=True)

    group: Group
    rows: list[Row]
    opening: int
    closing: int


class Sheet(BaseModel):
    """Both sides; ``balanced``: they agree at the beginning and now."""

    model_config = ConfigDict(frozen=True)

    left: list[Section]
    right: list[Section]
    left_opening: int
    left_closing: int
    right_opening: int
    right_closing: int
    balanced: bool


async def draw_up(cx: AsyncConnection, asked: SheetQuery) -> Sheet:
    """The balance sheet after period ``asked.last``."""
    found = await (await cx.execute(_ROWS, asked.model_dump())).fetchall()
    return arrange(found, await chart.accounts(cx, asked.fiscal_year))


def arrange(found: list[tuple[str, int, int]], known: dict[str, Account]) -> Sheet:
    """The sheet from (account, opening, closing) in net debit; accounts that are always zero are left out."""
    left = [_section(group, found, known, 1) for group in LEFT]
    right = [_section(group, found, known, -1) for group in RIGHT]
    sums = {
        "left_opening": sum(section.opening for section in left),
        "left_closing": sum(section.closing for section in left),
        "right_opening": sum(section.opening for section in right),
        "right_closing": sum(section.closing for section in right),
    }
    balanced = (sums["left_opening"], sums["left_closing"]) == (sums["right_opening"], sums["right_closing"])
    return Sheet(
        left=[section for section in left if section.rows],
        right=[section for section in right if section.rows],
        balanced=balanced,
        **sums,
    )


def _section(
    group: Group, found: list[tuple[str, int, int]], known: dict[str, Account], sign: int
) -> Section:
    rows = [
        Row(
            account=account,
            name=known[account].name if account in known else "",
            opening=sign * opening,
            closing=sign * closing,
        )
        for account, opening, closing in found
        if (opening or closing) and _group_of(account, known) == group
    ]
    return Section(
        group=group,
        rows=rows,
        opening=sum(row.opening for row in rows),
        closing=sum(row.closing for row in rows),
    )


def _group_of(account: str, known: dict[str, Account]) -> Group:
    kind = known[account].kind if account in known else None
    return kind if kind in chart.KINDS else "unclassified"
