"""The page with indicators."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jincai import language
from jincai.pages import listing
from jincai.pages.listing import Asked, Column
from jincai.platform import PlatformOf
from psycopg import sql

from jincai_budget import indicators

router = APIRouter(prefix="/budget", include_in_schema=False)

_COLUMNS = (
    Column("指标文号", "Number", "indicator_no"),
    Column("单位", "Unit", "agency_code"),
    Column("功能科目", "Function", "exp_func_code"),
    Column("摘要", "Summary", "summary"),
    Column("金额(元)", "Amount (yuan)", "amount", "money"),
)


@router.get("/indicators")
async def indicators_page(request: Request, platform: PlatformOf, asked: Asked) -> HTMLResponse:
    """Indicators of one division in one fiscal year."""
    return await listing.answer(
        request,
        platform,
        asked=asked,
        title="指标" if language.of(request) == "zh" else "Indicators",
        table=sql.Identifier("budget", "indicator"),
        columns=_COLUMNS,
        find=indicators.find,
    )
