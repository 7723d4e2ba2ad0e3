"""The standards over HTTP: `/api/v1/standards/…`."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from jincai import problems
from jincai.paging import Page, Year, this_year
from jincai.platform import DatabaseOf
from jincai.standards import divisions
from jincai.standards.divisions import Division, DivisionQuery

router = APIRouter(prefix="/api/v1/standards", tags=["standards"])


@router.get("/divisions")
async def list_divisions(asked: Annotated[DivisionQuery, Query()], database: DatabaseOf) -> Page[Division]:
    """Divisions of a year, filtered by level, parent and part of the name."""
    return await database.read(lambda cx: divisions.find(cx, asked))


@router.get("/divisions/{code}", responses={404: {"model": problems.Problem}})
async def one_division(
    code: Annotated[str, Path(pattern=r"^[1-9][0-9]{5}(000)?$")],
    database: DatabaseOf,
    year: Annotated[Year | None, Query()] = None,
) -> Division:
    """One division by its code of 6 digits, or its fiscal code of 9."""
    found = await database.read(lambda cx: divisions.get(cx, code, year or this_year()))
    if found is None:
        raise HTTPException(404)
    return found
