"""The platform's own pages: the overview and the divisions."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from psycopg import AsyncConnection

from jincai import health
from jincai.auth.principal import principal_if_known, principal_of
from jincai.errors import DatabaseUnavailableError
from jincai.health import Health
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.paging import Page
from jincai.platform import Platform, PlatformOf
from jincai.standards import divisions
from jincai.standards.divisions import Division, DivisionQuery

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class DivisionPageQuery(DivisionQuery, PageAddress):
    """The divisions page's address."""


@router.get("/")
async def home(request: Request, platform: PlatformOf) -> HTMLResponse:
    """What runs here, and whether it is well; for anybody, and with the database away, too."""
    found, _ = await asyncio.gather(_health(platform), principal_if_known(request, health.WITHIN_SECONDS))
    return rendering.page(request, platform, "home.html", {"health": found, "systems": platform.systems})


@router.get("/standards/divisions", dependencies=[Depends(principal_of)])
async def division_browser(
    request: Request, platform: PlatformOf, asked: Annotated[DivisionPageQuery, Query()]
) -> HTMLResponse:
    """Divisions to look through: by what is above them, by level, by name, by year."""

    async def ask(cx: AsyncConnection) -> tuple[Page[Division], list[Division], list[Division]]:
        parents = await divisions.with_children(cx, asked.year)
        trail = [one for one in parents if asked.parent and one.code in _line(asked.parent)]
        return await divisions.find(cx, asked), parents, trail

    found, parents, trail = await platform.database.read(ask)
    context = {
        "asked": asked,
        "page": found,
        "parents": parents,
        "trail": trail,
        "names": {one.code: one.name for one in parents},
    }
    return rendering.page(request, platform, "divisions.html", context)


async def _health(platform: Platform) -> Health | None:
    try:
        return await health.check(platform.lane, platform.expected, platform.freezers)
    except DatabaseUnavailableError:
        return None


def _line(code: str) -> set[str]:
    """The code and those above it: 450100 → 450000, 450100."""
    return {code[:2] + "0000", code[:4] + "00", code}
