"""用款计划 as a document."""

import datetime as dt

from jincai.money import FEN_MOST
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment.desk import TEXT, Id, Key
from jincai_payment.order import PayType


class PlanAsked(BaseModel):
    """What a unit asks to have released in a ``month`` under an indicator; ``amount`` in fen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    indicator_id: Id
    month: int = Field(ge=1, le=12)
    pay_type: PayType
    amount: int = Field(gt=0, le=FEN_MOST)
    purpose: str = Field(default="", max_length=200, pattern=TEXT)


class Plan(BaseModel):
    """One plan; ``amount`` in fen, ``reason`` why it was refused."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    indicator_id: int
    month: int
    pay_type: PayType
    amount: int
    state: str
    purpose: str
    made_by: str
    made_at: dt.datetime
    checked_by: str | None
    reason: str
    settled_at: dt.datetime | None
