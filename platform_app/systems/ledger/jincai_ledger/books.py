"""Which part of the books is meant."""

from typing import NamedTuple


class PeriodKey(NamedTuple):
    """A period of a division's books: 0 opening, 1–12 months, 13 year-end."""

    fiscal_year: int
    division: str
    period: int
