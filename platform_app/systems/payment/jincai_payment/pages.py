"""The page with payment orders."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jincai import language
from jincai.pages import listing
from jincai.pages.listing import Asked, Column
from jincai.platform import PlatformOf
from psycopg import sql

from jincai_payment import orders

router = APIRouter(prefix="/payment", include_in_schema=False)

_STATES = {
    "draft": ("草稿", "Draft"),
    "submitted": ("已送审", "Submitted"),
    "reviewed": ("已审核", "Reviewed"),
    "signed": ("已签章", "Signed"),
    "sent": ("已发送", "Sent"),
    "paid": ("已支付", "Paid"),
    "cleared": ("已清算", "Cleared"),
    "returned": ("退回", "Returned"),
    "void": ("作废", "Void"),
    "refunded": ("退款", "Refunded"),
}
_COLUMNS = (
    Column("支付令号", "Number", "order_no"),
    Column("日期", "Date", "pay_date"),
    Column("单位", "Unit", "agency_code"),
    Column("收款人", "Payee", "payee_name"),
    Column("用途", "Purpose", "purpose"),
    Column("状态", "State", "state", words=_STATES),
    Column("金额(元)", "Amount (yuan)", "amount", "money"),
)


@router.get("/orders")
async def orders_page(request: Request, platform: PlatformOf, asked: Asked) -> HTMLResponse:
    """Payment orders of one division in one fiscal year."""
    return await listing.answer(
        request,
        platform,
        asked=asked,
        title="支付令" if language.of(request) == "zh" else "Payment orders",
        table=sql.Identifier("payment", "payment_order"),
        columns=_COLUMNS,
        find=orders.find,
    )
