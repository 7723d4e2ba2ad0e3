"""The page with vouchers."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jincai.pages import listing
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql

router = APIRouter(prefix="/ledger", include_in_schema=False)

VOUCHERS = Table(
    name="vouchers",
    books=sql.Identifier("ledger", "voucher"),
    rows="""
SELECT v.id, v.period, v.voucher_no, v.vou_date, v.summary, v.source, v.made_by, v.checked_by
  FROM ledger.voucher AS v
 WHERE v.fiscal_year = %(fiscal_year)s AND v.division = %(division)s
""",
    columns=(
        Column("期间", "Period", "period", "number"),
        Column("凭证号", "Number", "voucher_no", "number"),
        Column("日期", "Date", "vou_date", "date"),
        Column("摘要", "Summary", "summary"),
        Column("制单", "Made by", "made_by"),
        Column("复核", "Checked by", "checked_by"),
    ),
    filters=(
        Filter("period", "期间", "Period", "period", kind="number"),
        Filter("summary", "摘要", "Summary", "summary", "contains"),
        Filter("voucher_no", "凭证号", "Number", "voucher_no", kind="number"),
    ),
    order=("period", "voucher_no"),
)


@router.get("/vouchers")
async def vouchers_page(request: Request, platform: PlatformOf) -> Response:
    """Vouchers of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=VOUCHERS, title=("凭证", "Vouchers"), permission="ledger.read"
    )
