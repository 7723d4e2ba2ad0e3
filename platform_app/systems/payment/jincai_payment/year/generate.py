"""The seeded year: the same seed gives the same payments, to the fen.

Size and sum are those of the real region by 2011-01 (1,095,000 transactions, 593.2 billion yuan); units,
payees and amounts are invented. Labels say which rule a payment was made to break.
"""

import datetime as dt
import itertools
import random
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from jincai_payment.order import Order, PayType

PAYMENTS = 1_095_000
FEN = 59_320_000_000_000
MONTHS = [(2010, month) for month in range(1, 13)] + [(2011, 1)]
# The region and its 14 cities, with their share of the payments in hundredths.
DIVISIONS = {
    "450000": 22, "450100": 14, "450200": 10, "450300": 9, "450400": 5, "450500": 4, "450600": 3, "450700": 4,
    "450800": 4, "450900": 6, "451000": 5, "451100": 3, "451200": 5, "451300": 3, "451400": 3,
}  # fmt: skip
UNITS_PER_HUNDREDTH = 20
QUOTAS_PER_UNIT = 6
_FUNCTIONS = [
    "2010301", "2010302", "2040201", "2050202", "2050203",
    "2080501", "2100201", "2120303", "2130104", "2140104",
]  # fmt: skip
_ECONOMIC = ["30101", "30201", "30202", "30211", "30299", "31001", "31005"]
_PURPOSES = [
    "办公用品采购", "印刷费", "水电费", "差旅费", "会议费", "培训费", "设备购置", "房屋维修",
    "道路养护工程款", "教材采购", "药品采购", "物业管理费", "车辆运行维护", "项目进度款",
    "信息系统维护", "劳务费",
]  # fmt: skip
_NAMES = ["桂林", "南宁", "柳州", "邕江", "北部湾", "八桂", "红水河", "漓江", "青秀", "左江"]
_TRADES = ["建筑工程", "商贸", "印务", "物业服务", "科技", "图书", "医药", "汽车维修", "电力", "路桥"]
# Settlement modes as shipped in the standards (set_mode).
TRANSFER, CASH, CARD = "1", "2", "3"
# One labelled group for about so many payments; how many payments make a group.
LABEL_EVERY = 5_000
_GROUPS = {"R2": 1, "R4": 3, "R8": 1, "R10": 2}
# Fen; the rules' own thresholds are data (DOMAIN).
LARGE_CASH = 5_000_000
SPLIT_LIMIT = 5_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of the year, under an indicator of its own; its size is known once all was generated."""

    number: int
    fiscal_year: int
    division: str
    agency_code: str
    pay_type: PayType
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str


@dataclass(frozen=True, slots=True)
class Made:
    """A generated order; ``label`` names the rule it was made to break, if any."""

    order: Order
    label: str = ""


class SeedYear:
    """The year of ``seed``; ``payments`` and ``fen`` only differ from the real size in tests."""

    def __init__(self, seed: int = 2010, payments: int = PAYMENTS, fen: int = FEN) -> None:
        self.seed = seed
        self.payments = payments
        self.fen = fen

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
    def labels(self) -> dict[int, str]:
        """Position of a payment that was made to break a rule → the rule; for each member of a group."""
        draw = _draws(f"{self.seed} labels")
        rules = itertools.cycle(_GROUPS)
        labels: dict[int, str] = {}
        for division, start in self.starts.items():
            for _ in range(self.counts[division] // LABEL_EVERY):
                rule = next(rules)
                first = start + draw.randrange(self.counts[division] - _GROUPS[rule])
                group = range(first, first + _GROUPS[rule])
                # Groups stay apart, so that a label means one thing.
                if not any(near in labels for near in range(first - 1, first + _GROUPS[rule] + 1)):
                    labels.update(dict.fromkeys(group, rule))
        return labels

    @cached_property
    def amounts(self) -> "array[int]":
        """Heavy-tailed amounts in fen, all positive, that sum to `fen` exactly; by division, in order."""
        draw = _draws(f"{self.seed} amounts")
        weights = array("d", (draw.lognormvariate(0.0, 2.0) for _ in range(self.payments)))
        scale = self.fen / sum(weights)
        amounts = array("q", (max(100, int(weight * scale)) for weight in weights))
        for n, rule in self.labels.items():
            if rule == "R2":
                amounts[n] = LARGE_CASH + n % 1_000_000
            elif rule == "R4":
                amounts[n] = SPLIT_LIMIT * 2 // 5
            elif rule == "R10" and self.labels.get(n - 1) == "R10":
                amounts[n] = amounts[n - 1]
        # What rounding left, or took, goes to the largest, which does not notice.
        largest = max((n for n in range(self.payments) if n not in self.labels), key=amounts.__getitem__)
        amounts[largest] += self.fen - sum(amounts)
        return amounts

    def quotas(self, division: str) -> list[Quota]:
        """The division's quotas of 2010 and 2011, numbered over the whole year."""
        earlier = itertools.takewhile(lambda one: one != division, DIVISIONS)
        first = sum(2 * self._units(one) * QUOTAS_PER_UNIT for one in earlier)
        draw = _draws(f"{self.seed} quotas {division}")
        made: list[Quota] = []
        for unit in range(self._units(division)):
            for part in range(QUOTAS_PER_UNIT):
                function, economic = draw.choice(_FUNCTIONS), draw.choice(_ECONOMIC)
                fund = "2" if draw.random() < 0.12 else "1"
                pay_type: PayType = "direct" if part % 2 == 0 else "authorised"
                for year in (2010, 2011):
                    number = first + len(made) + 1
                    agency = f"{101001 + unit * 1000 % 798000 + unit // 798}"
                    made.append(Quota(number, year, division, agency, pay_type, fund, function, economic))
        return made

    def _units(self, division: str) -> int:
        # A small year has few units, so that each still has a history.
        return max(1, DIVISIONS[division] * UNITS_PER_HUNDREDTH * min(self.payments, PAYMENTS) // PAYMENTS)

    def orders(self, division: str, ids: Mapping[int, int] | None = None) -> Iterator[Made]:
        """The division's orders by date; ``ids`` says each quota's id, otherwise its number stands for it."""
        draw = _draws(f"{self.seed} orders {division}")
        by_year: dict[int, list[Quota]] = {2010: [], 2011: []}
        for quota in self.quotas(division):
            number = quota.number if ids is None else ids[quota.number]
            by_year[quota.fiscal_year].append(replace(quota, number=number))
        start, count = self.starts[division], self.counts[division]
        before: Made | None = None
        for n in range(count):
            label = self.labels.get(start + n, "")
            key = f"seed{self.seed}-{division}-{n:07}"
            day, amount = _day(n, count), self.amounts[start + n]
            made = self._one(draw, by_year[day.year], day, amount, key)
            if label:
                made = _violation(made, before, label)
            yield made
            before = made if label else None

    def _one(self, draw: random.Random, quotas: list[Quota], day: dt.date, amount: int, key: str) -> Made:
        quota = quotas[int(len(quotas) * draw.random() ** 1.5)]
        payee = draw.randrange(4000)
        # Cash is for small sums only; what a rule calls large is made on purpose and labelled.
        small = amount < 200_000
        mode = CASH if small and draw.random() < 0.05 else CARD if small and draw.random() < 0.3 else TRANSFER
        return Made(
            Order(
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
                set_mode_code=mode,
                purpose=f"{draw.choice(_PURPOSES)}{draw.randrange(1000):03}",
                posted_by="seed year",
            )
        )


def _draws(name: str) -> random.Random:
    """Numbers that are the same for the same name, wherever and whenever."""
    return random.Random(name)  # noqa: S311 - invented payments, no secret


def _violation(made: Made, before: Made | None, rule: str) -> Made:
    """The order made to break ``rule``; a group's members follow their first."""
    if rule == "R2":
        return Made(replace(made.order, set_mode_code=CASH), rule)
    if rule == "R8":
        return Made(replace(made.order, purpose="礼品卡购置"), rule)
    if before is None or before.label != rule:
        return Made(replace(made.order, set_mode_code=TRANSFER), rule)
    own = made.order
    # Same day as the first: a group never leaves its year.
    return Made(replace(before.order, idempotency_key=own.idempotency_key, amount=own.amount), rule)


def _day(n: int, count: int) -> dt.date:
    """The ``n``-th of ``count`` payments' date: evenly over the months, on working days."""
    slot = n * len(MONTHS) * 28 // count
    year, month = MONTHS[slot // 28]
    day = dt.date(year, month, slot % 28 + 1)
    return day - dt.timedelta(days=max(0, day.weekday() - 4)) if day.day > 2 else day
