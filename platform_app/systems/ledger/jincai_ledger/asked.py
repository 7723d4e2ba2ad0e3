"""How the books are asked for figures: one division, one year, a range of periods."""

from typing import Self

from jincai.paging import DivisionCode, PageQuery, Year
from pydantic import BaseModel, ConfigDict, Field, model_validator

CODE = r"^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$"


class Range(BaseModel):
    """Periods ``first`` to ``last`` of a year: 0 opening, 1–12 months, 13 year-end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: Year
    division: DivisionCode
    first: int = Field(default=1, ge=0, le=13)
    last: int = Field(default=13, ge=0, le=13)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError("first is after last")
        return self


class TrialBalanceQuery(Range):
    """Which trial balance; ``by_item`` splits accounts by their items."""

    by_item: bool = False


class SheetQuery(BaseModel):
    """The balance sheet after period ``last``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: Year
    division: DivisionCode
    last: int = Field(default=13, ge=0, le=13)


class LinesQuery(Range, PageQuery):
    """Which lines a figure is made of; without ``item`` those of every item of the account."""

    account: str = Field(pattern=CODE)
    item: str | None = Field(default=None, pattern=r"^([0-9A-Za-z][0-9A-Za-z.-]{0,29})?$")
    first: int = Field(default=0, ge=0, le=13)
