"""Fund query over HTTP: `/api/v1/payment/search`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from jincai.platform import DatabaseOf, PlatformOf

from jincai_payment import desk
from jincai_payment.desk import Id
from jincai_payment.desk_api import Reader
from jincai_payment.fund_query import saved, search, trace
from jincai_payment.fund_query.asked import FundQuery
from jincai_payment.fund_query.saved import Saved, SavedAsked
from jincai_payment.fund_query.search import Answer
from jincai_payment.fund_query.trace import Trace

router = APIRouter(prefix="/api/v1/payment/search", tags=["payment"])


@router.get("")
async def search_payments(
    asked: Annotated[FundQuery, Query()], database: DatabaseOf, principal: Reader
) -> Answer:
    """Payments by any combination of criteria; ``behind`` says what is posted and not yet found."""
    return await database.read(lambda cx: search.answer(cx, asked), token=principal.token)


@router.get("/saved")
async def list_saved(database: DatabaseOf, principal: Reader) -> list[Saved]:
    """One's own saved queries, and those shared by others whose scope one may see."""
    return await database.read(lambda cx: saved.every(cx, principal), token=principal.token)


@router.post("/saved", status_code=201)
async def keep_query(asked: SavedAsked, request: Request, platform: PlatformOf, principal: Reader) -> Saved:
    """Keep a query by name; one's own of the same name is replaced."""
    return await desk.answer(request, platform, principal, lambda cx: saved.keep(cx, principal, asked))


@router.delete("/saved/{number}", status_code=204)
async def drop_query(number: Id, request: Request, platform: PlatformOf, principal: Reader) -> None:
    """Delete one's own saved query."""
    await desk.answer(request, platform, principal, lambda cx: saved.drop(cx, principal, number))


@router.get("/{payment_id}/trace")
async def trace_payment(payment_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Trace:
    """A payment's way: indicator, plans, application, payment, bank, clearing, what undid it, alerts."""
    return await desk.look(
        request, platform, principal, lambda cx: trace.read(cx, payment_id, principal.permissions)
    )
