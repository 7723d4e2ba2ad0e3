"""Department budget over HTTP: `/api/v1/budget/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf

from jincai_budget import indicators
from jincai_budget.indicators import Indicator

router = APIRouter(prefix="/api/v1/budget", tags=["budget"])

_Reader = Annotated[Principal, Depends(may("budget.read"))]


@router.get("/indicators")
async def list_indicators(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[Indicator]:
    """Indicators of one division in one fiscal year."""
    return await database.read(lambda cx: indicators.find(cx, asked), token=principal.token)
