"""Reading editions over HTTP, for whoever is logged in: `/api/v1/standards/editions…`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai import problems
from jincai.auth.principal import Principal, principal_of
from jincai.paging import Page, Year, this_year
from jincai.platform import DatabaseOf
from jincai.standards import code_list, difference, editions
from jincai.standards.answers import Exported, exported, refusals
from jincai.standards.code_list import Code, CodeQuery, ElementName, FieldName
from jincai.standards.difference import Difference, DifferenceQuery
from jincai.standards.editions import Edition, EditionQuery, Step

PROBLEMS: dict[int | str, dict[str, Any]] = {one: {"model": problems.Problem} for one in (404, 409)}
router = APIRouter(prefix="/api/v1/standards", tags=["standards"], responses=PROBLEMS)

YearPath = Annotated[int, Path(ge=1949, le=9999)]
NumberPath = Annotated[int, Path(ge=1, lt=2**31)]
Number = Annotated[int, Field(ge=1, lt=2**31)]
Reader = Annotated[Principal, Depends(principal_of)]


class Strict(BaseModel):
    """What is asked; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ExportQuery(Strict):
    """What to export; CSV holds one element."""

    format: Literal["csv", "xlsx"] = "xlsx"
    element: ElementName | None = None


class BetweenQuery(DifferenceQuery):
    """Differences from edition ``against`` of ``against_year`` (the same year, if not given)."""

    against: Number
    against_year: Year | None = None


@router.get("/editions")
async def list_editions(
    asked: Annotated[EditionQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Edition]:
    """Editions by year, newest first."""
    return await database.read(lambda cx: editions.find(cx, asked), token=principal.token)


@router.get("/editions/{year}/{number}")
async def one_edition(
    request: Request, *, year: YearPath, number: NumberPath, database: DatabaseOf, principal: Reader
) -> Edition:
    """One edition."""
    with refusals(request):
        return await database.read(lambda cx: editions.get(cx, year, number), token=principal.token)


@router.get("/editions/{year}/{number}/log")
async def edition_log(
    request: Request, *, year: YearPath, number: NumberPath, database: DatabaseOf, principal: Reader
) -> list[Step]:
    """Who did what to the edition, newest first."""
    with refusals(request):
        return await database.read(lambda cx: editions.history(cx, year, number), token=principal.token)


@router.get("/editions/{year}/{number}/codes")
async def list_codes(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    asked: Annotated[CodeQuery, Query()],
    database: DatabaseOf,
    principal: Reader,
) -> Page[Code]:
    """Codes of an edition, by element and code."""

    async def ask(cx: AsyncConnection) -> Page[Code]:
        await editions.get(cx, year, number)
        return await code_list.find(cx, year, number, asked)

    with refusals(request):
        return await database.read(ask, token=principal.token)


@router.get("/editions/{year}/{number}/diff")
async def differences(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    asked: Annotated[BetweenQuery, Query()],
    database: DatabaseOf,
    principal: Reader,
) -> Difference:
    """What this edition has otherwise than another one."""
    before = (asked.against_year or year, asked.against)

    async def ask(cx: AsyncConnection) -> Difference:
        await editions.get(cx, year, number)
        await editions.get(cx, *before)
        return await difference.between(cx, before, (year, number), asked)

    with refusals(request):
        return await database.read(ask, token=principal.token)


@router.get("/editions/{year}/{number}/export")
async def export(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    asked: Annotated[ExportQuery, Query()],
    database: DatabaseOf,
    principal: Reader,
) -> Response:
    """The edition, or one element of it, as a file that can be imported again."""
    wanted = Exported(year, number, asked.element, asked.format)
    with refusals(request):
        return await exported(database, principal.token, wanted)


@router.get("/fields")
async def list_fields(
    database: DatabaseOf, principal: Reader, year: Annotated[Year | None, Query()] = None
) -> list[FieldName]:
    """Our fields' names and those of DA/T 95, from the edition in force."""
    return await database.read(lambda cx: code_list.fields(cx, year or this_year()), token=principal.token)
