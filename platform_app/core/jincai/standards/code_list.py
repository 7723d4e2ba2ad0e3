"""Questions about an edition's codes."""

from typing import Annotated

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai import paging
from jincai.paging import Page, PageQuery
from jincai.standards.code_rows import CodeRow
from jincai.standards.editions import Edition
from jincai.standards.elements import ELEMENTS

ElementName = Annotated[str, Field(pattern="^(" + "|".join(ELEMENTS) + ")$")]
CodeText = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$")]


class Code(BaseModel):
    """One code; ``attributes`` are what only its element has."""

    model_config = ConfigDict(frozen=True)

    element: str
    code: str
    name: str
    parent: str | None
    attributes: dict[str, str]


class CodeQuery(PageQuery):
    """Which codes; ``q`` begins the code or is part of the name, ``parent`` is the code directly above."""

    element: ElementName | None = None
    parent: CodeText | None = None
    q: str | None = Field(default=None, min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]*$")


class _Asked(CodeQuery):
    year: int
    number: int


_COUNT = """
SELECT count(*) FROM standards.code AS c
 WHERE c.fiscal_year = %(year)s AND c.edition = %(number)s
   AND (%(element)s::text IS NULL OR c.element = %(element)s)
   AND (%(parent)s::text IS NULL OR c.parent = %(parent)s)
   AND (%(q)s::text IS NULL OR starts_with(c.code, %(q)s) OR strpos(lower(c.name), lower(%(q)s)) > 0)
"""
_ROWS = """
SELECT c.element, c.code, c.name, c.parent, c.attributes FROM standards.code AS c
 WHERE c.fiscal_year = %(year)s AND c.edition = %(number)s
   AND (%(element)s::text IS NULL OR c.element = %(element)s)
   AND (%(parent)s::text IS NULL OR c.parent = %(parent)s)
   AND (%(q)s::text IS NULL OR starts_with(c.code, %(q)s) OR strpos(lower(c.name), lower(%(q)s)) > 0)
 ORDER BY c.element, c.code
 LIMIT %(limit)s OFFSET %(offset)s
"""
_EVERY = """
SELECT element, code, name, parent, attributes FROM standards.code
 WHERE fiscal_year = %s AND edition = %s AND (%s::text IS NULL OR element = %s)
 ORDER BY element, code
"""
_COUNTS = "SELECT element, count(*) FROM standards.code WHERE fiscal_year = %s AND edition = %s GROUP BY 1"
_FIELDS = """
SELECT c.attributes ->> 'field' AS field, c.code AS standard, c.name
  FROM standards.code AS c
  JOIN standards.in_force AS f ON (f.fiscal_year, f.edition) = (c.fiscal_year, c.edition)
 WHERE c.fiscal_year = %s AND c.element = 'field_name'
 ORDER BY 1, 2
"""


class FieldName(BaseModel):
    """标准字段名: our ``field`` as DA/T 95 calls it (``standard``). Amounts: ours in fen, theirs in yuan."""

    model_config = ConfigDict(frozen=True)

    field: str
    standard: str
    name: str


async def find(cx: AsyncConnection, year: int, number: int, asked: CodeQuery) -> Page[Code]:
    """The codes of an edition that match, by element and code."""
    given = _Asked(year=year, number=number, **asked.model_dump(include=set(CodeQuery.model_fields)))
    return await paging.fetch(cx, Code, rows=_ROWS, count=_COUNT, asked=given)


async def counts(cx: AsyncConnection, year: int, number: int) -> dict[str, int]:
    """Element → how many codes the edition has of it; every element, in its usual order."""
    rows = await (await cx.execute(_COUNTS, (year, number))).fetchall()
    found: dict[str, int] = dict(rows)
    return {element: found.get(element, 0) for element in ELEMENTS}


async def tables(cx: AsyncConnection, edition: Edition, element: str | None) -> dict[str, list[CodeRow]]:
    """Everything the edition holds (of ``element``, if given), by element."""
    given = (edition.fiscal_year, edition.number, element, element)
    found: dict[str, list[CodeRow]] = {one: [] for one in ELEMENTS if element in {None, one}}
    for name, code, title, parent, attributes in await (await cx.execute(_EVERY, given)).fetchall():
        if name in found:
            found[name].append(CodeRow(len(found[name]) + 2, code, title, parent, attributes))
    return {name: rows for name, rows in found.items() if rows or element}


async def fields(cx: AsyncConnection, year: int) -> list[FieldName]:
    """The names that outside systems know our fields by, in the year's edition in force."""
    async with cx.cursor(row_factory=class_row(FieldName)) as cursor:
        return await (await cursor.execute(_FIELDS, (year,))).fetchall()
