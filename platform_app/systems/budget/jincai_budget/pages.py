"""Pages of indicators: the list, and one with how its amount came about."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from jincai.auth.principal import may
from jincai.pages import listing, rendering
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql

from jincai_budget import indicators
from jincai_budget.at import At, at
from jincai_budget.change import KINDS
from jincai_budget.procedure import LEVELS
from jincai_budget.refusals import answered
from jincai_budget.shown import moment

router = APIRouter(prefix="/budget", include_in_schema=False)

_Reading = Annotated[At, Depends(at(may("budget.read")))]

INDICATORS = Table(
    name="indicators",
    books=sql.Identifier("budget", "indicator"),
    rows="""
SELECT id, indicator_no, agency_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code, summary,
       amount, reserved, planned, amount - reserved - planned AS available, control_level
  FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
""",
    columns=(
        Column("指标文号", "Number", "indicator_no", link="/budget/indicators/{id}"),
        Column("单位", "Unit", "agency_code"),
        Column("功能科目", "Function", "exp_func_code"),
        Column("经济科目", "Economic item", "dep_exp_eco_code"),
        Column("摘要", "Summary", "summary"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("在途占用(元)", "Reserved (yuan)", "reserved", "money"),
        Column("已下计划(元)", "Planned (yuan)", "planned", "money"),
        Column("可用(元)", "Available (yuan)", "available", "money"),
    ),
    filters=(
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("indicator_no", "指标文号", "Number", "indicator_no", "contains"),
        Filter("fund_type_code", "资金性质", "Fund type", "fund_type_code"),
        Filter("exp_func_code", "功能科目", "Function", "exp_func_code"),
        Filter("dep_exp_eco_code", "经济科目", "Economic item", "dep_exp_eco_code"),
        Filter("project_code", "项目", "Project", "project_code"),
        Filter("summary", "摘要", "Summary", "summary", "contains"),
        Filter("amount_from", "金额从", "Amount from", "amount", "from", "money"),
        Filter("amount_to", "金额到", "Amount to", "amount", "to", "money"),
    ),
    order=("indicator_no",),
)


@router.get("/indicators")
async def indicators_page(request: Request, platform: PlatformOf) -> Response:
    """Indicators of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=INDICATORS, title=("指标", "Indicators"), permission="budget.read"
    )


@router.get("/indicators/{number}")
async def indicator_page(at: _Reading) -> Response:
    """One indicator with its changes and the requests in flight."""
    with answered(at.request):
        found = await at.platform.database.read(
            lambda cx: indicators.history(cx, at.number), token=at.who.token
        )
    context = {
        "indicator": found.indicator,
        "changes": found.changes,
        "kinds": KINDS,
        "level": LEVELS[str(found.indicator.control_level)],
        "moment": moment,
    }
    return rendering.page(at.request, at.platform, "budget/indicator.html", context)
