"""Drafts over HTTP: made by one person, booked or returned by another."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import Page
from jincai.platform import DatabaseOf
from psycopg import AsyncConnection

from jincai_ledger import draft_list, drafts, red
from jincai_ledger.draft_documents import Booked, DraftDocument, Number, RedDocument, ReturnDocument
from jincai_ledger.draft_list import Draft, DraftQuery
from jincai_ledger.refusal import answered

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])

Reader = Annotated[Principal, Depends(may("ledger.read"))]
Maker = Annotated[Principal, Depends(may("ledger.draft"))]
Checker = Annotated[Principal, Depends(may("ledger.book"))]


@router.get("/drafts")
async def list_drafts(
    asked: Annotated[DraftQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Draft]:
    """Drafts of one division in one fiscal year, the newest first."""
    return await database.read(lambda cx: draft_list.find(cx, asked), token=principal.token)


@router.get("/drafts/{number}")
async def read_draft(request: Request, number: Number, database: DatabaseOf, principal: Reader) -> Draft:
    """One draft with its lines."""
    return await answered(
        request, database.read(lambda cx: draft_list.get(cx, number), token=principal.token)
    )


@router.post("/drafts")
async def submit_draft(
    request: Request, asked: DraftDocument, database: DatabaseOf, principal: Maker
) -> Draft:
    """Prepare a voucher, manual or opening, for a checker; the same under its key again."""

    async def work(cx: AsyncConnection) -> Draft:
        return await draft_list.get(cx, await drafts.submit(cx, asked.wanted(), principal.actor))

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.put("/drafts/{number}")
async def revise_draft(
    request: Request, number: Number, asked: DraftDocument, database: DatabaseOf, principal: Maker
) -> Draft:
    """Replace what a draft says, by its maker; it waits for a checker again."""

    async def work(cx: AsyncConnection) -> Draft:
        await drafts.revise(cx, number, asked.wanted(), principal.actor)
        return await draft_list.get(cx, number)

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.post("/drafts/{number}/withdraw")
async def withdraw_draft(request: Request, number: Number, database: DatabaseOf, principal: Maker) -> Draft:
    """Take back a draft that is not booked, by its maker."""

    async def work(cx: AsyncConnection) -> Draft:
        await drafts.withdraw(cx, number, principal.actor)
        return await draft_list.get(cx, number)

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.post("/drafts/{number}/return")
async def return_draft(
    request: Request, number: Number, asked: ReturnDocument, database: DatabaseOf, principal: Checker
) -> Draft:
    """Return a draft to its maker with a reason."""

    async def work(cx: AsyncConnection) -> Draft:
        await drafts.send_back(cx, number, asked.reason, principal.actor)
        return await draft_list.get(cx, number)

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.post("/drafts/{number}/book")
async def book_draft(request: Request, number: Number, database: DatabaseOf, principal: Checker) -> Booked:
    """Book a draft that somebody else made; asked again the same voucher."""

    async def work(cx: AsyncConnection) -> Booked:
        return Booked(voucher_id=await drafts.book(cx, number, principal.actor))

    return await answered(request, database.write(work, token=principal.token, repeatable=True))


@router.post("/vouchers/{number}/red")
async def request_red(
    request: Request, number: Number, asked: RedDocument, database: DatabaseOf, principal: Maker
) -> Draft:
    """Ask for the red correction of a voucher; a checker books it."""

    async def work(cx: AsyncConnection) -> Draft:
        made = await red.request(
            cx,
            number,
            vou_date=asked.vou_date,
            summary=asked.summary,
            key=asked.idempotency_key,
            by=principal.actor,
        )
        return await draft_list.get(cx, made)

    return await answered(request, database.write(work, token=principal.token, repeatable=True))
