"""The page of the audit trail (审计日志), for the audit administrator."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from jincai.auth import trail
from jincai.auth.principal import may
from jincai.auth.trail import TrailQuery
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.platform import PlatformOf

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class AuditPageQuery(TrailQuery, PageAddress):
    """The page's address."""


@router.get("/audit", dependencies=[Depends(may("audit.read"))])
async def audit_page(
    request: Request, platform: PlatformOf, asked: Annotated[AuditPageQuery, Query()]
) -> Response:
    """Log-ins and changes of accounts, newest first."""
    found = await platform.door.read(lambda cx: trail.find(cx, asked))
    words = {"kinds": trail.KINDS, "details": trail.DETAILS, "values": trail.VALUES}
    context = {"asked": asked, "trail": found, **words}
    return rendering.page(request, platform, "audit.html", context)
