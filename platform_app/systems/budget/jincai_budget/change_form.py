"""The form that asks for a change, as a person fills it in on an indicator's page."""

from typing import Annotated

from jincai.pages.forms import Yuan
from pydantic import BaseModel, ConfigDict, Field

from jincai_budget.change import ChangeKind, NewChange
from jincai_budget.line import AMOUNT_MOST, TEXT


class ChangeForm(BaseModel):
    """What changes of indicator ``indicator_id``; the amount in yuan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: str = Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")
    indicator_id: int = Field(gt=0, lt=2**63)
    kind: ChangeKind
    # 转入指标
    other_id: int | None = Field(default=None, gt=0, lt=2**63)
    amount: Annotated[Yuan, Field(gt=0, le=AMOUNT_MOST)] | None = None
    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)

    def mistake(self) -> tuple[str, str, str] | None:
        """The field that this kind of change needs otherwise, and what is wrong in Chinese and English."""
        if self.other_id == self.indicator_id or (self.kind == "adjustment" and self.other_id is None):
            return "other_id", "请选择另一个指标", "choose another indicator"
        if self.kind != "carry_over" and self.amount is None:
            return "amount", "必须填写", "is required"
        return None

    def asked(self) -> NewChange:
        """The request."""
        target = {
            "adjustment": self.other_id,
            "addition": self.indicator_id,
            "reduction": None,
            "carry_over": self.other_id,
        }[self.kind]
        return NewChange(
            idempotency_key=self.idempotency_key,
            kind=self.kind,
            source_id=None if self.kind == "addition" else self.indicator_id,
            target_id=target,
            amount=self.amount,
            reason=self.reason,
        )
