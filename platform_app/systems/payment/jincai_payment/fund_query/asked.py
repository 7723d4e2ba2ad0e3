"""What may be asked of payments: every criterion, in any combination."""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from jincai.money import FEN_MOST, Yuan
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, PageQuery, Year
from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from jincai_payment.desk import TEXT
from jincai_payment.fund_query import words

# So many are counted and sorted; beyond it, "more than" must do, and pages end at `SKIP_MOST`.
COUNT_MOST = 50_000
# What the bank says is looked up payment by payment.
COUNT_MOST_BY_BANK = 10_000
SKIP_MOST = 10_000

Code = Annotated[str, Field(max_length=30, pattern=r"^[0-9A-Za-z.-]+$")]
Words = Annotated[str, Field(max_length=words.TEXT_MOST, pattern=TEXT)]
Sort = Literal["pay_date", "-pay_date", "amount", "-amount"]
BankState = Literal["waiting", "sent", "paid", "cleared", "failed", "void"]
Fen = Annotated[int, Field(ge=-FEN_MOST, le=FEN_MOST)]


class Criteria(BaseModel):
    """What a payment must be; amounts in fen.

    ``words`` are in purpose or payee, ``purpose`` and ``payee`` in just that; each word parted by spaces must
    be there. Codes of items and a payee's account are given whole or by how they begin.
    """

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    agency_code: Code | None = None
    words: Words | None = None
    purpose: Words | None = None
    payee: Words | None = None
    payee_account: Annotated[str, Field(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z-]+$")] | None = (
        None
    )
    pay_from: dt.date | None = None
    pay_to: dt.date | None = None
    amount_from: Fen | None = None
    amount_to: Fen | None = None
    exp_func_code: Code | None = None
    dep_exp_eco_code: Code | None = None
    fund_type_code: Code | None = None
    bgt_type_code: Code | None = None
    project_code: Code | None = None
    set_mode_code: Code | None = None
    pay_type: Literal["direct", "authorised"] | None = None
    kind: Literal["payment", "refund", "correction", "bank_return"] | None = None
    bank_state: BankState | None = None

    @field_validator("words", "purpose", "payee")
    @classmethod
    def _not_too_many_words(cls, given: str | None) -> str | None:
        if given is not None:
            try:
                words.split(given)
            except ValueError as error:
                raise PydanticCustomError("words", str(error)) from error
        return given

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.pay_from and self.pay_to and self.pay_from > self.pay_to:
            raise PydanticCustomError("order", "the period ends before it begins")
        if self.amount_from is not None and self.amount_to is not None and self.amount_from > self.amount_to:
            raise PydanticCustomError("order", "the largest amount is less than the smallest")
        return self

    def criteria(self) -> dict[str, Any]:
        """Those that were given, as JSON holds them."""
        given = self.model_dump(mode="json", include=set(Criteria.model_fields), exclude_none=True)
        return {name: value for name, value in given.items() if value != ""}

    def question(self) -> dict[str, Any]:
        """The same as ``payment.find()`` takes them."""
        question = self.criteria()
        said = {place: question.pop(place, None) for place in ("words", "purpose", "payee")}
        found = words.asked(any=said["words"], purpose=said["purpose"], payee=said["payee"])
        return question | ({"words": found} if found else {})


class FundQuery(Criteria, PageQuery):
    """Which payments, how sorted, which part of them."""

    sort: Sort = "-pay_date"
    offset: int = Field(default=0, ge=0, le=SKIP_MOST)


class FundAddress(FundQuery, PageAddress):
    """The same in the address of the page, where people give amounts in yuan."""

    amount_from: Yuan | None = None
    amount_to: Yuan | None = None
    format: Literal["html", "xlsx"] = "html"
