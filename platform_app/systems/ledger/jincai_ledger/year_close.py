"""年结: closing vouchers in period 13, then the balances carried forward as the next year's opening."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from psycopg import AsyncConnection

from jincai_ledger import chart, closing, closing_rules, entries, succession
from jincai_ledger.books import PeriodKey
from jincai_ledger.chart import Account
from jincai_ledger.entries import Entry, Line, on_side
from jincai_ledger.refusal import RefusedError
from jincai_ledger.succession import Succession

# What computes the entries; who closes the year checks them.
MAKER = "jincai"
_FLOWS = {"revenue", "expenditure"}

# Net debit of (account, item), in fen.
Nets = dict[tuple[str, str], int]

_NETS = """
SELECT account, item, sum(debit - credit)::bigint
  FROM ledger.balance
 WHERE (division, fiscal_year) = (%s, %s)
 GROUP BY account, item
HAVING sum(debit - credit) <> 0
 ORDER BY account, item
"""
_OPENED = """
SELECT EXISTS (SELECT FROM ledger.balance
                WHERE (division, fiscal_year, period) = (%s, %s, 0) AND debit <> credit)
"""


async def close(cx: AsyncConnection, fiscal_year: int, division: str, by: str) -> None:
    """Close the year, whose months are closed, and open the next one; again changes nothing.

    Everything in one transaction: closing vouchers, period 13 closed, opening vouchers, the next year's
    period 0 closed.

    Raises:
        RefusedError: a month is open, the next year has opening balances, or an account has no kind, no
            rule or no successor; it is named.
    """
    last, opening = PeriodKey(fiscal_year, division, 13), PeriodKey(fiscal_year + 1, division, 0)
    if await closing.hold(cx, last, by):
        return
    closing.refuse_unless(await closing.checklist(cx, last))
    if await closing.hold(cx, opening, by):
        raise RefusedError(
            f"{fiscal_year + 1} 年期初已结账,不能再结转;差额请在新年度以手工凭证调整",
            f"the opening of {fiscal_year + 1} is closed already: adjust by a manual voucher in that year",
        )
    opened = await (await cx.execute(_OPENED, (division, fiscal_year + 1))).fetchone()
    if opened and opened[0]:
        raise RefusedError(
            f"{fiscal_year + 1} 年已有期初余额;请先红字冲销它,再年结",
            f"{fiscal_year + 1} has opening balances: undo them by a red correction first",
        )
    nets = await _nets(cx, fiscal_year, division)
    known = await chart.accounts(cx, fiscal_year)
    _refuse_unknown(fiscal_year, nets, known)
    rules = await closing_rules.of_year(cx, fiscal_year)
    vouchers = closing_entries(last, nets, known, rules, by)
    following = await succession.into(cx, fiscal_year + 1)
    vouchers += opening_entries(opening, after(nets, vouchers), following, by)
    await entries.book(cx, vouchers)
    await closing.settle(cx, last, by)
    await closing.settle(cx, opening, by)


def closing_entries(
    key: PeriodKey,
    nets: Mapping[tuple[str, str], int],
    known: Mapping[str, Account],
    rules: Mapping[str, str],
    by: str,
) -> list[Entry]:
    """One voucher for each account of revenue or expenditure: it goes to zero against its surplus account."""
    flows: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (account, item), net in nets.items():
        if net and known[account].kind in _FLOWS:
            flows[account].append((item, net))
    if missing := [account for account in flows if closing_rules.surplus_of(account, rules) is None]:
        raise RefusedError(
            f"科目 {chart.listed(missing)} 没有结转规则,请在 ledger.closing_rule 中补充",
            f"no closing rule for {chart.listed(missing)}: add it to ledger.closing_rule",
        )
    made = []
    for account, items in sorted(flows.items()):
        surplus = closing_rules.surplus_of(account, rules) or ""
        total = sum(net for _, net in items)
        lines = [on_side(account, item, -net) for item, net in items]
        lines += [on_side(surplus, "", total)] if total else []
        made.append(_entry(key, f"年终结转 {account}→{surplus}", "close", lines, by))
    return made


def after(nets: Mapping[tuple[str, str], int], vouchers: Iterable[Entry]) -> Nets:
    """The nets once ``vouchers`` are booked, without zeros."""
    summed: Nets = defaultdict(int, nets)
    for voucher in vouchers:
        for line in voucher.lines:
            summed[line.account, line.item] += line.debit - line.credit
    return {key: net for key, net in summed.items() if net}


def opening_entries(
    key: PeriodKey,
    nets: Mapping[tuple[str, str], int],
    following: Succession,
    by: str,
) -> list[Entry]:
    """One voucher in period 0 that carries ``nets`` into the year of ``key``, by the chart of that year."""
    successor = following.of({account for account, _ in nets})
    carried: Nets = defaultdict(int)
    for (account, item), net in nets.items():
        carried[successor[account], item] += net
    lines = [on_side(account, item, net) for (account, item), net in sorted(carried.items()) if net]
    if not lines:
        return []
    return [_entry(key, f"{key.fiscal_year - 1} 年余额结转", "carry", lines, by)]


async def _nets(cx: AsyncConnection, fiscal_year: int, division: str) -> Nets:
    rows = await (await cx.execute(_NETS, (division, fiscal_year))).fetchall()
    return {(account, item): net for account, item, net in rows}


def _refuse_unknown(fiscal_year: int, nets: Iterable[tuple[str, str]], known: Mapping[str, Account]) -> None:
    """Without its kind nobody knows whether an account is closed or carried."""
    if missing := {account for account, _ in nets if account not in known or known[account].kind is None}:
        raise RefusedError(
            f"{fiscal_year} 年现行标准没有说明科目 {chart.listed(missing)} 的类别;请先发布会计科目",
            f"the standards in force for {fiscal_year} do not say the kind of {chart.listed(missing)}: "
            "publish the chart of accounts first",
        )


def _entry(key: PeriodKey, summary: str, source: str, lines: list[Line], by: str) -> Entry:
    month, day = (1, 1) if key.period == 0 else (12, 31)
    return Entry(
        **key._asdict(),
        vou_date=dt.date(key.fiscal_year, month, day),
        summary=summary,
        source=source,
        lines=tuple(lines),
        made_by=MAKER,
        checked_by=by,
    )
