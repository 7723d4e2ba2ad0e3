"""The page with indicators."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jincai.pages import listing
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql

router = APIRouter(prefix="/budget", include_in_schema=False)

INDICATORS = Table(
    name="indicators",
    books=sql.Identifier("budget", "indicator"),
    rows="""
SELECT id, indicator_no, agency_code, exp_func_code, dep_exp_eco_code, project_code, summary, amount, planned,
       amount - reserved - planned AS available
  FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
""",
    columns=(
        Column("指标文号", "Number", "indicator_no"),
        Column("单位", "Unit", "agency_code"),
        Column("功能科目", "Function", "exp_func_code"),
        Column("经济科目", "Economic item", "dep_exp_eco_code"),
        Column("摘要", "Summary", "summary"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("已下计划(元)", "Planned (yuan)", "planned", "money"),
        Column("可用(元)", "Available (yuan)", "available", "money"),
    ),
    filters=(
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("exp_func_code", "功能科目", "Function", "exp_func_code"),
        Filter("summary", "摘要", "Summary", "summary", "contains"),
    ),
    order=("indicator_no",),
)


@router.get("/indicators")
async def indicators_page(request: Request, platform: PlatformOf) -> Response:
    """Indicators of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=INDICATORS, title=("指标", "Indicators"), permission="budget.read"
    )
