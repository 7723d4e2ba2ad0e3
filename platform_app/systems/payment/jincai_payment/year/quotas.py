"""Divisions, units and quotas of the seeded year: invented, the same for everybody."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jincai_payment.order import PayType

# The region and its 14 cities, with their share of the payments in hundredths.
DIVISIONS = {
    "450000": 22, "450100": 14, "450200": 10, "450300": 9, "450400": 5, "450500": 4, "450600": 3, "450700": 4,
    "450800": 4, "450900": 6, "451000": 5, "451100": 3, "451200": 5, "451300": 3, "451400": 3,
}  # fmt: skip
YEARS = (2010, 2011)
UNITS_PER_HUNDREDTH = 20
QUOTAS_PER_UNIT = 6
_FUNCTIONS = [
    "2010301", "2010302", "2040201", "2050202", "2050203",
    "2080501", "2100201", "2120303", "2130104", "2140104",
]  # fmt: skip
_ECONOMIC = ["30101", "30201", "30202", "30211", "30299", "31001", "31005"]


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of the year, under an indicator of its own.

    Attributes:
        number: its number over the whole year; in orders its id, once it has one.
        granted: fen, where that is known beforehand; otherwise as much as orders ask for.
    """

    number: int
    fiscal_year: int
    division: str
    agency_code: str
    pay_type: PayType
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str = ""
    granted: int | None = None


def agencies(units: int) -> Iterator[str]:
    """Codes of a division's units."""
    return (f"{101001 + unit * 1000 % 798000 + unit // 798}" for unit in range(units))


def ordinary(draw: random.Random, division: str, units: int, first: int, items: Sequence[str]) -> list[Quota]:
    """The division's quotas of both years that ordinary payments are made from, numbered from ``first`` on.

    The first ones are of ``items``, so that every division has what is paid from these.
    """
    made: list[Quota] = []
    for agency in agencies(units):
        for part in range(QUOTAS_PER_UNIT):
            function, economic = draw.choice(_FUNCTIONS), draw.choice(_ECONOMIC)
            place = len(made) // len(YEARS)
            economic = items[place] if place < len(items) else economic
            fund = "2" if draw.random() < 0.12 else "1"
            pay_type: PayType = "direct" if part % 2 == 0 else "authorised"
            for year in YEARS:
                number = first + len(made)
                made.append(Quota(number, year, division, agency, pay_type, fund, function, economic))
    return made
