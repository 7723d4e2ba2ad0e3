"""A change of an indicator as it is asked for, and as it stands."""

import datetime as dt
from typing import Literal, Self

from jincai.paging import BooksQuery
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai_budget.line import AMOUNT_MOST, TEXT

ChangeKind = Literal["adjustment", "addition", "reduction", "carry_over"]
ChangeState = Literal["requested", "approved", "refused"]

KINDS: dict[str, tuple[str, str]] = {
    "approval": ("批复", "Approval"),
    "adjustment": ("调整", "Adjustment"),
    "addition": ("追加", "Addition"),
    "reduction": ("调减", "Reduction"),
    "carry_over": ("结转", "Carry-over"),
}
REQUEST_KINDS = {code: words for code, words in KINDS.items() if code != "approval"}
CHANGE_STATES: dict[str, tuple[str, str]] = {
    "requested": ("待审批", "Waiting for approval"),
    "approved": ("已审批", "Approved"),
    "refused": ("未通过", "Refused"),
}


class NewChange(BaseModel):
    """What is asked: ``amount`` in fen from indicator ``source_id`` to ``target_id``.

    An addition has no source, a reduction no target. A carry-over without target makes an indicator of the
    next year, and without amount takes all that is left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: str = Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")
    kind: ChangeKind
    source_id: int | None = Field(default=None, gt=0, lt=2**63)
    target_id: int | None = Field(default=None, gt=0, lt=2**63)
    amount: int | None = Field(default=None, gt=0, le=AMOUNT_MOST)
    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        if (self.source_id is None) != (self.kind == "addition"):
            raise ValueError("source_id is for everything but an addition")
        if (self.target_id is None) != (self.kind == "reduction") and self.kind != "carry_over":
            raise ValueError("target_id is for adjustments, additions and carry-overs")
        if self.source_id == self.target_id:
            raise ValueError("source_id and target_id are one indicator")
        if self.amount is None and self.kind != "carry_over":
            raise ValueError("amount is required")
        return self


class ChangeRequest(BaseModel):
    """One request; ``amount`` in fen."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    kind: ChangeKind
    source_id: int | None
    target_id: int | None
    amount: int
    reason: str
    state: ChangeState
    made_by: str
    made_at: dt.datetime
    checked_by: str | None
    checked_at: dt.datetime | None
    check_reason: str


class ChangeQuery(BooksQuery):
    """Which requests; what is not given does not filter."""

    state: ChangeState | None = None
