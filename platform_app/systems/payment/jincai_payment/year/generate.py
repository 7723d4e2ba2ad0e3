"""The seeded year: the same seed gives the same payments, to the fen.

Size and sum are those of the real region by 2011-01 (1,095,000 transactions, 593.2 billion yuan); units,
payees and amounts are invented. Labels say which rule an order was made to break. Those made to break a rule
before payment are orders beyond that number: they do not post.
"""

import bisect
import datetime as dt
import itertools
import random
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jincai_payment.order import Order
from jincai_payment.year import amounts, grounds, labels, quotas, violations
from jincai_payment.year.labels import Labels
from jincai_payment.year.quotas import DIVISIONS, Quota
from jincai_payment.year.registers import MADE_BY, Registers
from jincai_payment.year.rule_data import RuleData, shipped
from jincai_payment.year.violations import CARD, CASH, TRANSFER

PAYMENTS = 1_095_000
FEN = 59_320_000_000_000
MONTHS = [(2010, month) for month in range(1, 13)] + [(2011, 1)]
# Fen: cash is for small sums only; what a rule calls large is made on purpose and labelled.
SMALL = 200_000
_PURPOSES = [
    "办公用品采购", "印刷费", "水电费", "差旅费", "会议费", "培训费", "设备购置", "房屋维修",
    "道路养护工程款", "教材采购", "药品采购", "物业管理费", "车辆运行维护", "项目进度款",
    "信息系统维护", "劳务费",
]  # fmt: skip
_NAMES = ["桂林", "南宁", "柳州", "邕江", "北部湾", "八桂", "红水河", "漓江", "青秀", "左江"]
_TRADES = ["建筑工程", "商贸", "印务", "物业服务", "科技", "图书", "医药", "汽车维修", "电力", "路桥"]


@dataclass(frozen=True, slots=True)
class Made:
    """A generated order; ``label`` names the rule it was made to break, if any."""

    order: Order
    label: str = ""


@dataclass(frozen=True, slots=True)
class Further:
    """An order that a rule stops: it comes after the payment at position ``after`` of the division."""

    after: int
    rule: str
    quota: Quota


class SeedYear:
    """The year of ``seed``; other sizes, and a label for ``every`` so many payments, are for tests."""

    def __init__(
        self,
        seed: int = 2010,
        payments: int = PAYMENTS,
        fen: int = FEN,
        every: int = labels.EVERY,
        rules: RuleData | None = None,
    ) -> None:
        self.seed = seed
        self.payments = payments
        self.fen = fen
        self.every = every
        self.rules = rules or shipped()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Division → number of its payments; they sum to `payments`."""
        counts = {division: self.payments * share // 100 for division, share in DIVISIONS.items()}
        counts["450000"] += self.payments - sum(counts.values())
        return counts

    @cached_property
    def starts(self) -> dict[str, int]:
        """Division → position of its first payment among all."""
        return dict(zip(self.counts, itertools.accumulate(self.counts.values(), initial=0), strict=False))

    @cached_property
    def labels(self) -> Labels:
        """Which payments, and which further orders, break which rule."""
        draw = _draws(f"{self.seed} labels")
        return labels.made(draw, self.counts, grounds.sizes(self.rules), self.every)

    @property
    def orders_in_all(self) -> int:
        """Payments, and the orders that rules stop."""
        return self.payments + len(self.labels.further)

    @cached_property
    def amounts(self) -> "array[int]":
        """Amounts of the payments in fen, all positive, that sum to `fen` exactly; by division, in order."""
        fixed: dict[int, int] = {}
        divisions, starts = list(self.starts), list(self.starts.values())
        for n, place in self.labels.places.items():
            division = divisions[bisect.bisect_right(starts, n) - 1]
            year = _day(n - self.starts[division], self.counts[division]).year
            fixed[n] = grounds.amount(self.rules, place, division, year, n)
        draw = _draws(f"{self.seed} amounts")
        places = itertools.product(DIVISIONS, quotas.YEARS)
        most = min(grounds.most(self.rules, division, year) for division, year in places)
        return amounts.made(draw, self.payments, self.fen, most, fixed)

    def quotas(self, division: str) -> list[Quota]:
        """The division's quotas of 2010 and 2011, numbered over the whole year."""
        ordinary = self._ordinary(division)
        known = {quota.number for quota in ordinary}
        return ordinary + [one.quota for one in self.further(division) if one.quota.number not in known]

    def _ordinary(self, division: str) -> list[Quota]:
        earlier = itertools.takewhile(lambda one: one != division, DIVISIONS)
        first = 1 + sum(self._quotas_of(one) for one in earlier)
        draw = _draws(f"{self.seed} quotas {division}")
        items = grounds.needed_items(self.rules)
        return quotas.ordinary(draw, division, self._units(division), first, items)

    def _units(self, division: str) -> int:
        # A small year has few units, so that each still has a history; one of them with limits of its own.
        share = DIVISIONS[division] * quotas.UNITS_PER_HUNDREDTH
        return max(2, share * min(self.payments, PAYMENTS) // PAYMENTS)

    def _quotas_of(self, division: str) -> int:
        return len(quotas.YEARS) * self._units(division) * quotas.QUOTAS_PER_UNIT

    def further(self, division: str) -> list[Further]:
        """The orders that rules stop, in their order; some have a quota of their own."""
        draw = _draws(f"{self.seed} further {division}")
        start, count = self.starts[division], self.counts[division]
        by_year = _by_year(self._ordinary(division))
        number = sum(map(self._quotas_of, DIVISIONS))
        made: list[Further] = []
        for place, (after, rule) in enumerate(sorted(self.labels.further.items())):
            if start <= after < start + count:
                like = _drawn(draw, by_year[_day(after - start, count).year])
                quota = grounds.quota(self.rules, rule, like, number + 1 + place)
                made.append(Further(after - start, rule, quota))
        return made

    def registers(self, division: str) -> Registers:
        """What the division's registers say."""
        units = list(quotas.agencies(self._units(division)))
        building = [one.quota for one in self.further(division) if one.rule == "R6"]
        return grounds.registers(self.rules, division, units, building)

    def orders(self, division: str, ids: Mapping[int, int] | None = None) -> Iterator[Made]:
        """The division's orders by date; ``ids`` says each quota's id, otherwise its number stands for it."""
        by_year = _by_year(_with_ids(self._ordinary(division), ids))
        further = self.further(division)
        paid_from = _with_ids([one.quota for one in further], ids)
        stopped = {one.after: (one.rule, quota) for one, quota in zip(further, paid_from, strict=True)}
        draw = _draws(f"{self.seed} violations {division}")
        breaking = violations.Violations(draw, self.rules, self.registers(division))
        places, start = self.labels.places, self.starts[division]
        before: Order | None = None
        for n, order in enumerate(self._payments(division, by_year)):
            if place := places.get(start + n):
                before = breaking.member(place, order, before, by_year[order.fiscal_year])
                yield Made(before, place.label)
                continue
            yield Made(order)
            if n in stopped:
                rule, quota = stopped[n]
                yield Made(breaking.order(rule, order, quota, f"{order.idempotency_key}-{rule}"), rule)

    def _payments(self, division: str, by_year: Mapping[int, Sequence[Quota]]) -> Iterator[Order]:
        """The payments, before any of them is made to break a rule."""
        draw = _draws(f"{self.seed} orders {division}")
        card_only = frozenset(grounds.card_items(self.rules))
        start, count, fen = self.starts[division], self.counts[division], self.amounts
        for n in range(count):
            day = _day(n, count)
            key = f"seed{self.seed}-{division}-{n:07}"
            quota = _drawn(draw, by_year[day.year])
            yield _ordinary_order(draw, quota, day, fen[start + n], key=key, card_only=card_only)


def _draws(name: str) -> random.Random:
    """Numbers that are the same for the same name, wherever and whenever."""
    return random.Random(name)  # noqa: S311 - invented payments, no secret


def _drawn(draw: random.Random, among: Sequence[Quota]) -> Quota:
    """Some pay more often than others."""
    return among[int(len(among) * draw.random() ** 1.5)]


def _by_year(among: Sequence[Quota]) -> dict[int, list[Quota]]:
    return {year: [quota for quota in among if quota.fiscal_year == year] for year in quotas.YEARS}


def _with_ids(among: Sequence[Quota], ids: Mapping[int, int] | None) -> list[Quota]:
    return list(among) if ids is None else [replace(quota, number=ids[quota.number]) for quota in among]


def _ordinary_order(
    draw: random.Random, quota: Quota, day: dt.date, amount: int, *, key: str, card_only: frozenset[str]
) -> Order:
    payee = draw.randrange(4000)
    small = amount < SMALL
    mode = CASH if small and draw.random() < 0.05 else CARD if small and draw.random() < 0.3 else TRANSFER
    return Order(
        idempotency_key=key,
        fiscal_year=day.year,
        division=quota.division,
        agency_code=quota.agency_code,
        quota_id=quota.number,
        amount=amount,
        pay_date=day,
        payee_name=f"{_NAMES[payee % 10]}{_TRADES[payee // 10 % 10]}{payee:04}号公司",
        payee_account=f"4500{payee:012}",
        payee_bank="示例银行",
        set_mode_code=CARD if quota.dep_exp_eco_code in card_only else mode,
        purpose=f"{draw.choice(_PURPOSES)}{draw.randrange(1000):03}",
        posted_by=MADE_BY,
    )


def _day(n: int, count: int) -> dt.date:
    """The ``n``-th of ``count`` payments' date: evenly over the months, on working days."""
    slot = n * len(MONTHS) * 28 // count
    year, month = MONTHS[slot // 28]
    day = dt.date(year, month, slot % 28 + 1)
    return day - dt.timedelta(days=max(0, day.weekday() - 4)) if day.day > 2 else day
