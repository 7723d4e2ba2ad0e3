"""The plug of 国库集中支付 for outside systems: takes payment orders (支付令), gives payments (支付凭证)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from jincai.socket.document import Document, Pull, Push

if TYPE_CHECKING:
    from jincai.auth.principal import Principal
    from jincai.platform import Platform
    from pydantic import BaseModel

    from jincai_payment.api import PaymentOrder


def _order() -> "type[BaseModel]":
    from jincai_payment.api import PaymentOrder  # noqa: PLC0415 - `jincai migrate` needs no web framework

    return PaymentOrder


def _answer() -> "type[BaseModel]":
    from jincai_payment.api import Answer  # noqa: PLC0415 - as above

    return Answer


def _payment() -> "type[BaseModel]":
    from jincai_payment.payment_document import PaymentDocument  # noqa: PLC0415 - as above

    return PaymentDocument


async def _receive(
    platform: "Platform", principal: "Principal", documents: "Sequence[BaseModel]"
) -> "Sequence[BaseModel]":
    """Posts them together, through the gatherer, like `POST /api/v1/payment/orders/batch`."""
    from jincai_payment import api  # noqa: PLC0415 - as above

    return await api.post_orders([cast("PaymentOrder", one) for one in documents], platform, principal)


_PAYMENTS = """
SELECT p.id, p.xmin AS written, p.fiscal_year, p.division, p.agency_code, p.posting_no, p.quota_id, p.kind,
       p.undoes, p.pay_type, p.set_mode_code, p.bgt_type_code, p.fund_type_code, p.exp_func_code,
       p.dep_exp_eco_code, p.project_code, p.payee_name, p.payee_account, p.payee_bank, p.payee_kind_code,
       p.purpose, p.amount, p.pay_date, p.idempotency_key
  FROM payment.payment AS p
 WHERE p.fiscal_year = %(fiscal_year)s AND p.division = %(division)s
"""

DOCUMENTS = (
    Document(
        kind="payment_order",
        title="支付令",
        title_en="Payment order",
        model=_order,
        push=Push(
            permission="payment.post",
            result=_answer,
            receive=_receive,
            elements={"agency_code": "agency", "set_mode_code": "set_mode", "payee_kind_code": "payee_kind"},
        ),
    ),
    Document(
        kind="payment",
        title="支付凭证",
        title_en="Payment",
        model=_payment,
        pull=Pull(permission="payment.read", rows=_PAYMENTS),
    ),
)
