"""支付凭证, the standard document that payments are given to other systems as."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict


class PaymentDocument(BaseModel):
    """One posted payment; ``amount`` in fen, negative only for what undoes one, which ``undoes`` names by id.

    ``idempotency_key`` is the one of its order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: int
    division: str
    agency_code: str
    posting_no: int
    quota_id: int
    kind: Literal["payment", "refund", "correction", "bank_return"]
    undoes: int | None
    pay_type: Literal["direct", "authorised"]
    set_mode_code: str
    bgt_type_code: str
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    purpose: str
    amount: int
    pay_date: dt.date
    idempotency_key: str
