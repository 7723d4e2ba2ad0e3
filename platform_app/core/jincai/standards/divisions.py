"""Questions about divisions, asked of the database."""

from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai import paging
from jincai.paging import DivisionCode, Page, PageQuery, Year, this_year

Level = Literal["province", "city", "county"]


class Division(BaseModel):
    """A division as it was in the year asked for.

    ``code`` has 6 digits (GB/T 2260), ``fiscal_code`` 9 (the level itself). Years are inclusive;
    ``valid_to_year`` is null while the division is still valid.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    fiscal_code: str
    name: str
    level: Level
    parent: str | None
    valid_from_year: int
    valid_to_year: int | None


class DivisionQuery(PageQuery):
    """Which divisions, of which year; what is not given does not filter.

    ``parent`` is the code of the division directly above, ``q`` a part of the name. A name never holds
    control characters, and PostgreSQL refuses NUL.
    """

    year: Year = Field(default_factory=this_year)
    level: Level | None = None
    parent: DivisionCode | None = None
    q: str | None = Field(default=None, min_length=1, max_length=30, pattern=r"^[^\x00-\x1f]*$")


_COUNT = """
SELECT count(*)
  FROM standards.division
 WHERE valid_from_year <= %(year)s
   AND (valid_to_year IS NULL OR valid_to_year >= %(year)s)
   AND (%(level)s::text IS NULL OR level = %(level)s)
   AND (%(parent)s::text IS NULL OR parent = %(parent)s)
   AND (%(q)s::text IS NULL OR strpos(name, %(q)s) > 0)
"""
_ROWS = """
SELECT code, fiscal_code, name, level, parent, valid_from_year, valid_to_year
  FROM standards.division
 WHERE valid_from_year <= %(year)s
   AND (valid_to_year IS NULL OR valid_to_year >= %(year)s)
   AND (%(level)s::text IS NULL OR level = %(level)s)
   AND (%(parent)s::text IS NULL OR parent = %(parent)s)
   AND (%(q)s::text IS NULL OR strpos(name, %(q)s) > 0)
 ORDER BY code
 LIMIT %(limit)s OFFSET %(offset)s
"""
_ONE = """
SELECT code, fiscal_code, name, level, parent, valid_from_year, valid_to_year
  FROM standards.division
 WHERE valid_from_year <= %(year)s
   AND (valid_to_year IS NULL OR valid_to_year >= %(year)s)
   AND code = left(%(code)s, 6)
"""
_WITH_CHILDREN = """
SELECT code, fiscal_code, name, level, parent, valid_from_year, valid_to_year
  FROM standards.division AS d
 WHERE valid_from_year <= %(year)s
   AND (valid_to_year IS NULL OR valid_to_year >= %(year)s)
   AND EXISTS (SELECT FROM standards.division AS child WHERE child.parent = d.code)
 ORDER BY code
"""


async def find(cx: AsyncConnection, asked: DivisionQuery) -> Page[Division]:
    """The divisions that match, by code."""
    return await paging.fetch(cx, Division, rows=_ROWS, count=_COUNT, asked=asked)


async def get(cx: AsyncConnection, code: str, year: int) -> Division | None:
    """The division with this code of 6 digits, or fiscal code of 9, in ``year``."""
    async with cx.cursor(row_factory=class_row(Division)) as cursor:
        return await (await cursor.execute(_ONE, {"code": code, "year": year})).fetchone()


async def with_children(cx: AsyncConnection, year: int) -> list[Division]:
    """The divisions of ``year`` that have others below them, by code."""
    async with cx.cursor(row_factory=class_row(Division)) as cursor:
        return await (await cursor.execute(_WITH_CHILDREN, {"year": year})).fetchall()
