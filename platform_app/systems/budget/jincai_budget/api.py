"""Department budget over HTTP: `/api/v1/budget/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf

from jincai_budget import indicators
from jincai_budget.indicators import Indicator, IndicatorHistory
from jincai_budget.refusals import answered

router = APIRouter(prefix="/api/v1/budget", tags=["budget"])

_Reader = Annotated[Principal, Depends(may("budget.read"))]


@router.get("/indicators")
async def list_indicators(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[Indicator]:
    """Indicators of one division in one fiscal year."""
    return await database.read(lambda cx: indicators.find(cx, asked), token=principal.token)


@router.get("/indicators/{number}")
async def one_indicator(
    number: Annotated[int, Path(gt=0, lt=2**63)], request: Request, database: DatabaseOf, principal: _Reader
) -> IndicatorHistory:
    """One indicator with every change of its amount."""
    with answered(request):
        return await database.read(lambda cx: indicators.history(cx, number), token=principal.token)
