"""支付申请 as a document: what it says, how it stands, and its trail."""

import datetime as dt
from typing import Literal

from jincai.money import FEN_MOST
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment.desk import TEXT, Id, Key

State = Literal["draft", "submitted", "reviewed", "signed", "returned", "void"]
AskedKind = Literal["payment", "refund", "correction"]


class Content(BaseModel):
    """What an application says; ``amount`` in fen, negative in what undoes a payment (``undoes``, its id)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quota_id: Id
    kind: AskedKind = "payment"
    undoes: Id | None = None
    amount: int = Field(ge=-FEN_MOST, le=FEN_MOST)
    pay_date: dt.date
    payee_name: str = Field(min_length=1, max_length=200, pattern=TEXT)
    payee_account: str = Field(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z-]+$")
    payee_bank: str = Field(default="", max_length=200, pattern=TEXT)
    payee_kind_code: str = Field(default="1", max_length=10, pattern=r"^[0-9A-Za-z]+$")
    set_mode_code: str = Field(default="1", max_length=10, pattern=r"^[0-9A-Za-z]+$")
    purpose: str = Field(min_length=1, max_length=200, pattern=TEXT)


class ApplicationAsked(Content):
    """A new application; year, division and unit are those of its quota."""

    idempotency_key: Key


class Application(BaseModel):
    """One application; ``amount`` in fen, ``payment_id`` of the payment it became."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    quota_id: int
    kind: AskedKind
    undoes: int | None
    amount: int
    pay_date: dt.date
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    set_mode_code: str
    purpose: str
    state: State
    revision: int
    made_by: str
    made_at: dt.datetime
    reviewed_by: str | None
    signed_by: str | None
    payment_id: int | None


class Step(BaseModel):
    """One step of an application: who did what when, and why."""

    model_config = ConfigDict(frozen=True)

    action: str
    revision: int
    reason: str
    by_whom: str
    at: dt.datetime


class Trail(Application):
    """An application with all its steps, and what has become of its payment at the bank."""

    steps: list[Step]
    bank_state: str | None
