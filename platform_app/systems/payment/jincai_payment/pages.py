"""The page with payments."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jincai import language
from jincai.pages import listing
from jincai.pages.listing import Asked, Column
from jincai.platform import PlatformOf
from psycopg import sql

from jincai_payment import payments

router = APIRouter(prefix="/payment", include_in_schema=False)

_KINDS = {
    "payment": ("支付", "Payment"),
    "refund": ("退款", "Refund"),
    "correction": ("更正", "Correction"),
    "bank_return": ("银行退回", "Returned by the bank"),
}
_COLUMNS = (
    Column("凭证号", "Number", "id"),
    Column("日期", "Date", "pay_date"),
    Column("单位", "Unit", "agency_code"),
    Column("收款人", "Payee", "payee_name"),
    Column("用途", "Purpose", "purpose"),
    Column("类别", "Kind", "kind", words=_KINDS),
    Column("金额(元)", "Amount (yuan)", "amount", "money"),
)


@router.get("/payments")
async def payments_page(request: Request, platform: PlatformOf, asked: Asked) -> HTMLResponse:
    """Payments of one division in one fiscal year."""
    return await listing.answer(
        request,
        platform,
        asked=asked,
        title="支付凭证" if language.of(request) == "zh" else "Payments",
        table=sql.Identifier("payment", "payment"),
        columns=_COLUMNS,
        find=payments.find,
    )
