"""Treasury centralised payment over HTTP: `/api/v1/payment/…`."""

import datetime as dt
from typing import Annotated, Literal, Self, cast

import psycopg
from fastapi import APIRouter, Depends, HTTPException, Query
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, DivisionCode, Page, Year
from jincai.platform import DatabaseOf, PlatformOf
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai_payment import payments
from jincai_payment.gather import Gatherer
from jincai_payment.order import Decision, Order
from jincai_payment.payments import Payment

router = APIRouter(prefix="/api/v1/payment", tags=["payment"])

AMOUNT_MOST = 10**15
# Printable text: PostgreSQL refuses NUL, and a name holds no control characters.
_TEXT = r"^[^\x00-\x1f\x7f]*$"


class PaymentOrder(BaseModel):
    """支付令, the standard document; ``amount`` in fen, negative only in what undoes a payment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: str = Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")
    fiscal_year: Year
    division: DivisionCode
    agency_code: str = Field(min_length=1, max_length=30, pattern=r"^[0-9A-Za-z.-]+$")
    quota_id: int = Field(gt=0, lt=2**63)
    kind: Literal["payment", "refund", "correction"] = "payment"
    undoes: int | None = Field(default=None, gt=0, lt=2**63)
    amount: int = Field(ge=-AMOUNT_MOST, le=AMOUNT_MOST)
    pay_date: dt.date
    payee_name: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    payee_account: str = Field(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z-]+$")
    payee_bank: str = Field(default="", max_length=200, pattern=_TEXT)
    payee_kind_code: str = Field(default="1", max_length=10, pattern=r"^[0-9A-Za-z]+$")
    set_mode_code: str = Field(default="1", max_length=10, pattern=r"^[0-9A-Za-z]+$")
    purpose: str = Field(min_length=1, max_length=200, pattern=_TEXT)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.kind == "payment") != (self.undoes is None):
            raise ValueError("undoes is for what undoes a payment, and only for that")
        if (self.amount > 0) != (self.kind == "payment") or self.amount == 0:
            raise ValueError("a payment's amount is positive, what undoes one is negative")
        if self.pay_date.year != self.fiscal_year:
            raise ValueError("pay_date is not in the fiscal year")
        return self

    def order(self, principal: Principal) -> Order:
        """The order, on the word of ``principal``."""
        return Order(**self.model_dump(), posted_by=principal.actor, token=principal.token)


class Answer(BaseModel):
    """What became of an order; asked again under its key, an order is answered the same.

    A held one waits until another person releases it; ``rules`` stopped it, or forbade it.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["posted", "refused", "held"]
    reason: str
    payment_id: int | None
    posting_no: int | None
    again: bool
    warned: bool
    rules: tuple[str, ...]


_Reader = Annotated[Principal, Depends(may("payment.read"))]
_Poster = Annotated[Principal, Depends(may("payment.post"))]


@router.get("/payments")
async def list_payments(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[Payment]:
    """Payments of one division in one fiscal year."""
    return await database.read(lambda cx: payments.find(cx, asked), token=principal.token)


@router.post("/orders")
async def post_order(asked: PaymentOrder, platform: PlatformOf, principal: _Poster) -> Answer:
    """Post one order: quota, both sides of the ledger, a message to others; or refuse it with a reason."""
    return _answer((await _posted(platform, [asked.order(principal)]))[0])


@router.post("/orders/batch")
async def post_orders(
    asked: Annotated[list[PaymentOrder], Field(min_length=1, max_length=1000)],
    platform: PlatformOf,
    principal: _Poster,
) -> list[Answer]:
    """Post up to 1,000 orders in their order, in one transaction; each has its own answer."""
    return [_answer(one) for one in await _posted(platform, [one.order(principal) for one in asked])]


async def _posted(platform: PlatformOf, orders: list[Order]) -> list[Decision]:
    gatherer = cast("Gatherer", platform.services["payment.gatherer"])
    try:
        return await gatherer.post(orders)
    except psycopg.Error as error:
        if error.sqlstate in {"JC003", "JC004"}:
            raise HTTPException(409, error.diag.message_primary or "") from error
        raise


def _answer(decision: Decision) -> Answer:
    return Answer(
        outcome=decision.outcome,
        reason=decision.reason,
        payment_id=decision.payment_id,
        posting_no=decision.posting_no,
        again=decision.again,
        warned=decision.warned,
        rules=decision.rules,
    )
