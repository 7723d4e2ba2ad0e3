"""Orders that rules stopped, over HTTP: `/api/v1/payment/held`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf, PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_payment import desk, desk_tables, held, held_tables
from jincai_payment.api import Answer
from jincai_payment.desk import Id, Reason
from jincai_payment.desk_api import AgencyCode, Reader
from jincai_payment.held import Held
from jincai_payment.held_tables import Explained

router = APIRouter(prefix="/api/v1/payment/held", tags=["payment"])

Releaser = Annotated[Principal, Depends(may("monitor.release"))]


class HeldQuery(BooksQuery):
    """Which stopped orders; without ``state`` all of them."""

    state: Literal["held", "released", "rejected", "forbidden"] | None = None
    agency_code: AgencyCode | None = None


class Why(BaseModel):
    """Why an order is released or rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


@router.get("")
async def list_held(
    asked: Annotated[HeldQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Held]:
    """Stopped orders of one division in one fiscal year, newest first; a unit sees its own."""
    return await database.read(
        lambda cx: desk_tables.find(cx, Held, held_tables.HELD, asked), token=principal.token
    )


@router.get("/{held_id}")
async def read_held(held_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Explained:
    """One stopped order, with what the rules say that stopped it."""
    return await desk.look(request, platform, principal, lambda cx: held_tables.read(cx, held_id))


@router.post("/{held_id}/release")
async def release_held(
    held_id: Id, asked: Why, request: Request, platform: PlatformOf, principal: Releaser
) -> Answer:
    """放行: pay it, with a reason; asked again by the same person, it is answered the same.

    A rule that came later may stop it still: then the outcome is ``held``, or ``refused`` if it is forbidden.
    """
    decision = await desk.answer(
        request, platform, principal, lambda cx: held.release(cx, principal, held_id, asked.reason)
    )
    return Answer.model_validate(decision, from_attributes=True)


@router.post("/{held_id}/reject")
async def reject_held(
    held_id: Id, asked: Why, request: Request, platform: PlatformOf, principal: Releaser
) -> Held:
    """驳回: never pay it, with a reason."""

    async def rejected(cx: AsyncConnection) -> Held:
        await held.reject(cx, principal, held_id, asked.reason)
        return await held.find(cx, held_id)

    return await desk.answer(request, platform, principal, rejected)
