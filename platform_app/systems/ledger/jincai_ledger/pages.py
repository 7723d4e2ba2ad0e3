"""The page with vouchers."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jincai import language
from jincai.pages import listing
from jincai.pages.listing import Asked, Column
from jincai.platform import PlatformOf
from psycopg import sql

from jincai_ledger import vouchers

router = APIRouter(prefix="/ledger", include_in_schema=False)

_COLUMNS = (
    Column("期间", "Period", "period"),
    Column("凭证号", "Number", "voucher_no"),
    Column("日期", "Date", "vou_date"),
    Column("摘要", "Summary", "summary"),
    Column("借方合计(元)", "Debit (yuan)", "debit", "money"),
    Column("贷方合计(元)", "Credit (yuan)", "credit", "money"),
)


@router.get("/vouchers")
async def vouchers_page(request: Request, platform: PlatformOf, asked: Asked) -> HTMLResponse:
    """Vouchers of one division in one fiscal year."""
    return await listing.answer(
        request,
        platform,
        asked=asked,
        title="凭证" if language.of(request) == "zh" else "Vouchers",
        table=sql.Identifier("ledger", "voucher"),
        columns=_COLUMNS,
        find=vouchers.find,
    )
