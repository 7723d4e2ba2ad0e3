"""What makers and checkers send: documents as they come over HTTP, bounded in every direction."""

import datetime as dt
from typing import Annotated, Literal, Self

from fastapi import Path
from jincai.paging import DivisionCode, Year
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai_ledger.asked import CODE
from jincai_ledger.drafts import Wanted
from jincai_ledger.entries import Line

LINES_MOST = 5000
AMOUNT_MOST = 10**15
# Printable text: PostgreSQL refuses NUL, and a summary holds no control characters.
TEXT = r"^[^\x00-\x1f\x7f]*$"
CODE_OR_NONE = r"^([0-9A-Za-z][0-9A-Za-z.-]{0,29})?$"

Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Number = Annotated[int, Path(gt=0, lt=2**63)]


class LineDocument(BaseModel):
    """One side: exactly one of ``debit`` and ``credit``, in fen, positive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = Field(pattern=CODE)
    item: str = Field(default="", pattern=CODE_OR_NONE)
    agency_code: str = Field(default="", pattern=CODE_OR_NONE)
    debit: int = Field(default=0, ge=0, le=AMOUNT_MOST)
    credit: int = Field(default=0, ge=0, le=AMOUNT_MOST)

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.debit == 0) == (self.credit == 0):
            raise ValueError("a line is on one side: either debit or credit")
        return self


class DraftDocument(BaseModel):
    """A voucher to be checked: ``manual``, or ``opening`` balances of the year (期初, period 0)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    fiscal_year: Year
    division: DivisionCode
    kind: Literal["manual", "opening"] = "manual"
    vou_date: dt.date
    summary: str = Field(min_length=1, max_length=200, pattern=TEXT)
    lines: list[LineDocument] = Field(min_length=2, max_length=LINES_MOST)

    def wanted(self) -> Wanted:
        """The same for the ledger."""
        lines = tuple(Line(**line.model_dump()) for line in self.lines)
        return Wanted(**self.model_dump(exclude={"lines"}), lines=lines)


class RedDocument(BaseModel):
    """红字冲销: the day it is booked on; without a summary it says which voucher it undoes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    vou_date: dt.date
    summary: str = Field(default="", max_length=200, pattern=TEXT)


class ReturnDocument(BaseModel):
    """Why a draft goes back to its maker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)


class Booked(BaseModel):
    """The voucher that a draft became."""

    model_config = ConfigDict(frozen=True)

    voucher_id: int


class PeriodDocument(BaseModel):
    """A period of a division's books: 0 opening, 1–12 months."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: Year
    division: DivisionCode
    period: int = Field(ge=0, le=12)


class YearDocument(BaseModel):
    """A year of a division's books."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: Year
    division: DivisionCode
