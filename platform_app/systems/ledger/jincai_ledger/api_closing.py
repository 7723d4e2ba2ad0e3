"""Closing over HTTP: periods, the checklist, month and year."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from jincai.auth.principal import Principal, may
from jincai.platform import DatabaseOf
from psycopg import AsyncConnection

from jincai_ledger import closing, year_close
from jincai_ledger.books import PeriodKey
from jincai_ledger.closing import Check, Period
from jincai_ledger.draft_documents import PeriodDocument, YearDocument
from jincai_ledger.refusal import answered

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])

_Reader = Annotated[Principal, Depends(may("ledger.read"))]
_Closer = Annotated[Principal, Depends(may("ledger.close"))]
_PeriodNumber = Annotated[int, Path(ge=0, le=13)]


@router.get("/periods")
async def list_periods(
    asked: Annotated[YearDocument, Query()], database: DatabaseOf, principal: _Reader
) -> list[Period]:
    """Periods 0 to 13 of a year, and what was totalled when each was closed."""
    return await database.read(
        lambda cx: closing.periods(cx, asked.fiscal_year, asked.division), token=principal.token
    )


@router.get("/periods/{period}/checklist")
async def read_checklist(
    period: _PeriodNumber, asked: Annotated[YearDocument, Query()], database: DatabaseOf, principal: _Reader
) -> list[Check]:
    """What must be so before the period can be closed."""
    return await database.read(
        lambda cx: closing.checklist(cx, PeriodKey(asked.fiscal_year, asked.division, period)),
        token=principal.token,
    )


@router.post("/periods/close")
async def close_period(
    request: Request, asked: PeriodDocument, database: DatabaseOf, principal: _Closer
) -> Period:
    """Close a month (or the opening, 0) for good; closed by the same person again changes nothing."""

    async def work(cx: AsyncConnection) -> Period:
        await closing.close(cx, PeriodKey(asked.fiscal_year, asked.division, asked.period), principal.actor)
        return (await closing.periods(cx, asked.fiscal_year, asked.division))[asked.period]

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.post("/years/close")
async def close_year(
    request: Request, asked: YearDocument, database: DatabaseOf, principal: _Closer
) -> Period:
    """Close the year and carry its balances into the next one; again changes nothing."""

    async def work(cx: AsyncConnection) -> Period:
        await year_close.close(cx, asked.fiscal_year, asked.division, principal.actor)
        return (await closing.periods(cx, asked.fiscal_year, asked.division))[13]

    return await answered(request, database.write(work, token=principal.token, repeatable=True))
