"""Pages of the editions of code tables: which there are, what they hold, how two of them differ."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from psycopg import AsyncConnection

from jincai.auth.principal import principal_of
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import Page, Year, this_year
from jincai.platform import Platform, PlatformOf
from jincai.standards import code_list, difference, editions
from jincai.standards.answers import refusals
from jincai.standards.code_list import Code, CodeQuery
from jincai.standards.difference import Difference, DifferenceQuery
from jincai.standards.edition_routes import Number, NumberPath, Reader, YearPath
from jincai.standards.editions import Edition, EditionQuery, Step
from jincai.standards.elements import ELEMENTS

router = APIRouter(
    prefix="/standards/editions",
    include_in_schema=False,
    default_response_class=HTMLResponse,
    dependencies=[Depends(principal_of)],
)


class EditionsAddress(EditionQuery, PageAddress):
    """The address of the page with the editions."""


class CodesAddress(CodeQuery, PageAddress):
    """The address of an edition's page."""


class DifferenceAddress(DifferenceQuery, PageAddress):
    """The address of a page with differences; without ``against`` from the edition before."""

    against: Number | None = None
    against_year: Year | None = None


@router.get("")
async def edition_browser(
    request: Request,
    *,
    platform: PlatformOf,
    principal: Reader,
    asked: Annotated[EditionsAddress, Query()],
) -> HTMLResponse:
    """The editions by year, newest first."""
    suggested = forms.empty(year=str(asked.fiscal_year or this_year()))
    return await list_page(request, platform, principal.token, asked, suggested)


async def list_page(
    request: Request, platform: Platform, token: str, asked: EditionQuery, form: Form[Any]
) -> HTMLResponse:
    """The page with the editions, and ``form`` for another draft."""
    found = await platform.database.read(lambda cx: editions.find(cx, asked), token=token)
    context = {"asked": asked, "page": found, "form": form}
    return rendering.page(request, platform, "editions.html", context, 422 if form.errors else 200)


@router.get("/{year}/{number}")
async def edition_page(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    platform: PlatformOf,
    principal: Reader,
    asked: Annotated[CodesAddress, Query()],
) -> HTMLResponse:
    """The codes of an edition, by element."""

    async def ask(cx: AsyncConnection) -> tuple[Edition, dict[str, int], Page[Code], list[Step]]:
        return (
            await editions.get(cx, year, number),
            await code_list.counts(cx, year, number),
            await code_list.find(cx, year, number, asked),
            await editions.history(cx, year, number),
        )

    with refusals(request):
        edition, counts, found, steps = await platform.database.read(ask, token=principal.token)
    shown = {asked.element} if asked.element else {one.element for one in found.items}
    attributes = [ELEMENTS[name].attributes for name in ELEMENTS if name in shown]
    context = {
        "asked": asked,
        "edition": edition,
        "counts": counts,
        "steps": steps,
        "page": found,
        "elements": ELEMENTS,
        "columns": {name: one for every in attributes for name, one in every.items()},
    }
    return rendering.page(request, platform, "edition.html", context)


@router.get("/{year}/{number}/diff")
async def difference_page(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    platform: PlatformOf,
    principal: Reader,
    asked: Annotated[DifferenceAddress, Query()],
) -> HTMLResponse:
    """What an edition has otherwise than another; here a checker publishes a draft."""

    async def ask(cx: AsyncConnection) -> tuple[Edition, Edition | None, Difference, Page[Edition]]:
        edition = await editions.get(cx, year, number)
        before = await _before(cx, edition, asked)
        # Of an edition that nothing came before everything is new: no edition has the number 0.
        place = (before.fiscal_year, before.number) if before else (year, 0)
        differing = await difference.between(cx, place, (year, number), asked)
        return edition, before, differing, await editions.find(cx, EditionQuery(limit=200))

    with refusals(request):
        edition, before, found, others = await platform.database.read(ask, token=principal.token)
    context = {
        "asked": asked,
        "edition": edition,
        "before": before,
        "page": found,
        "others": [one for one in others.items if one != edition],
        "elements": ELEMENTS,
    }
    return rendering.page(request, platform, "edition_diff.html", context)


async def _before(cx: AsyncConnection, edition: Edition, asked: DifferenceAddress) -> Edition | None:
    if asked.against is not None:
        return await editions.get(cx, asked.against_year or edition.fiscal_year, asked.against)
    number = edition.based_on or edition.number - 1
    return await editions.get(cx, edition.fiscal_year, number) if number else None
