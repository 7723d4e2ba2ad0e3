"""The page with payments."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jincai.pages import listing
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql

from jincai_payment.bank.state import BANK_JOINS, BANK_STATE
from jincai_payment.words import BANK_STATES, KINDS, PAY_TYPES

router = APIRouter(prefix="/payment", include_in_schema=False)

PAYMENTS = Table(
    name="payments",
    # Books with quotas, which are few; among a million payments there is no index to find books by.
    books=sql.Identifier("payment", "quota"),
    rows=f"""
SELECT p.id, p.pay_date, p.agency_code, p.payee_name, p.payee_account, p.purpose, p.kind, p.pay_type,
       p.exp_func_code, p.quota_id, p.amount,
       {BANK_STATE} AS bank_state
  FROM payment.payment AS p
  {BANK_JOINS}
 WHERE p.fiscal_year = %(fiscal_year)s AND p.division = %(division)s
""",  # noqa: S608 - our own words
    columns=(
        Column("凭证号", "Number", "id", "number", link="/payment/payments/{id}"),
        Column("日期", "Date", "pay_date", "date"),
        Column("单位", "Unit", "agency_code"),
        Column("收款人", "Payee", "payee_name"),
        Column("用途", "Purpose", "purpose"),
        Column("方式", "Way", "pay_type", words=PAY_TYPES),
        Column("类别", "Kind", "kind", words=KINDS),
        Column("银行", "Bank", "bank_state", words=BANK_STATES),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
    ),
    filters=(
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("payee", "收款人", "Payee", "payee_name", "contains"),
        Filter("purpose", "用途", "Purpose", "purpose", "contains"),
        Filter("pay_from", "日期从", "From", "pay_date", "from", "date"),
        Filter("pay_to", "日期到", "To", "pay_date", "to", "date"),
        Filter("amount_from", "金额从", "Amount from", "amount", "from", "money"),
        Filter("amount_to", "金额到", "Amount to", "amount", "to", "money"),
        Filter("kind", "类别", "Kind", "kind", kind="choice", words=KINDS),
        Filter("bank_state", "银行状态", "Bank", "bank_state", kind="choice", words=BANK_STATES),
        Filter("quota_id", "额度", "Quota", "quota_id", kind="number"),
    ),
    order=("pay_date", "id"),
)


@router.get("/payments")
async def payments_page(request: Request, platform: PlatformOf) -> Response:
    """Payments of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=PAYMENTS, title=("支付凭证", "Payments"), permission="payment.read"
    )
