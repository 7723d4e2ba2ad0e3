"""The page of periods: what is closed, what the next close asks for, and the button."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai.auth.principal import Principal, may
from jincai.pages import forms, rendering
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, Year
from jincai.platform import PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_ledger import books, closing, year_close
from jincai_ledger.books import PeriodKey
from jincai_ledger.closing import Check, Period
from jincai_ledger.refusal import RefusedError, answered

router = APIRouter(prefix="/ledger/periods", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("ledger.read"))]
_Closer = Annotated[Principal, Depends(may("ledger.close"))]


class PeriodsAddress(PageAddress):
    """Which books."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year | None = None
    division: DivisionCode | None = None


class CloseForm(BaseModel):
    """Which period is to be closed; 13 closes the year."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year
    division: DivisionCode
    period: int = Field(ge=0, le=13)


@router.get("")
async def periods_page(
    request: Request, platform: PlatformOf, asked: Annotated[PeriodsAddress, Query()], principal: _Reader
) -> Response:
    """Periods of a year, and the checklist of the one that is next."""
    year, division = asked.fiscal_year, asked.division

    async def work(
        cx: AsyncConnection,
    ) -> tuple[list[Period], list[Check], int | None, list[books.Books]]:
        if year is None or division is None:
            return [], [], None, await books.every(cx)
        listed = await closing.periods(cx, year, division)
        following = next((one.period for one in listed if one.closed_by is None), None)
        checks = (
            [] if following is None else await closing.checklist(cx, PeriodKey(year, division, following))
        )
        return listed, checks, following, []

    listed, checks, following, there = await platform.database.read(work, token=principal.token)
    context = {
        "asked": asked,
        "periods": listed,
        "checks": checks,
        "next": following,
        "ready": all(one.ok for one in checks),
        "books": there,
        "may_close": "ledger.close" in principal.permissions,
    }
    return rendering.page(request, platform, "ledger/periods.html", context)


@router.post("/close")
async def close(request: Request, platform: PlatformOf, principal: _Closer) -> Response:
    """Close a month, or with period 13 the year."""
    form = await forms.read(request, CloseForm)

    async def work(cx: AsyncConnection) -> PeriodKey:
        if form.value is None:
            raise RefusedError("请从结账页面提交", "send it from the page of periods", 422)
        key = PeriodKey(form.value.fiscal_year, form.value.division, form.value.period)
        if key.period == 13:
            await year_close.close(cx, key.fiscal_year, key.division, principal.actor)
        else:
            await closing.close(cx, key, principal.actor)
        return key

    key = await answered(request, platform.database.write(work, token=principal.token, repeatable=True))
    return RedirectResponse(f"/ledger/periods?fiscal_year={key.fiscal_year}&division={key.division}", 303)
