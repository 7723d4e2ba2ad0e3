"""The page 预算待办 (待审批): what waits for its reader."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from jincai.auth.principal import Principal, may
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.platform import PlatformOf
from psycopg import AsyncConnection

from jincai_budget import inbox
from jincai_budget.change import KINDS
from jincai_budget.inbox import Waiting
from jincai_budget.procedure import STATES
from jincai_budget.shown import moment

router = APIRouter(prefix="/budget", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("budget.read"))]


@router.get("/inbox")
async def inbox_page(
    request: Request, platform: PlatformOf, who: _Reader, _: Annotated[PageAddress, Query()]
) -> Response:
    """Proposals and change requests that the reader has to do with next."""

    async def work(cx: AsyncConnection) -> tuple[list[Waiting], list[Waiting]]:
        return await inbox.proposals(cx, who), await inbox.changes(cx, who)

    proposals, changes = await platform.database.read(work, token=who.token)
    context = {
        "proposals": proposals,
        "changes": changes,
        "states": STATES,
        "kinds": KINDS,
        "most": inbox.SHOWN_MOST,
        "moment": moment,
    }
    return rendering.page(request, platform, "budget/inbox.html", context)
