"""A plain list page for an access system: choose the books, read the rows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import Annotated, Literal, TypeVar

from fastapi import Query, Request
from fastapi.responses import HTMLResponse
from psycopg import AsyncConnection, sql
from psycopg.rows import class_row
from pydantic import BaseModel

from jincai.auth.principal import principal_of, require
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.paging import BooksQuery, DivisionCode, Page, PageQuery, Year
from jincai.platform import Platform

BOOKS_MOST = 200

T = TypeVar("T", bound=BaseModel)


class ListAddress(PageQuery, PageAddress):
    """A list page's address; without year and division it offers the books there are."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None


Asked = Annotated[ListAddress, Query()]


class Books(BaseModel):
    """The books of one division in one year; ``name`` is the division's, if it is known."""

    fiscal_year: int
    division: str
    name: str | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: its heading in Chinese.
        title_en: and in English.
        field: which field of the item it shows.
        kind: ``money`` is in fen, and shown in yuan, to the right.
        words: for a coded field, code → Chinese and English.
    """

    title: str
    title_en: str
    field: str
    kind: Literal["text", "money"] = "text"
    words: Mapping[str, tuple[str, str]] = field_of(default_factory=dict)


async def answer(
    request: Request,
    platform: Platform,
    *,
    asked: ListAddress,
    title: str,
    table: sql.Identifier,
    columns: Sequence[Column],
    find: Callable[[AsyncConnection, BooksQuery], Awaitable[Page[T]]],
) -> HTMLResponse:
    """The page for ``asked``: rows from ``find``, or the books that ``table`` holds for the reader.

    Raises:
        HTTPException: 401 for nobody, 403 for who may not read this system.
    """

    async def ask(cx: AsyncConnection) -> tuple[Page[T] | None, list[Books]]:
        if asked.fiscal_year is None or asked.division is None:
            return None, await _books(cx, table)
        given = asked.model_dump(include=set(BooksQuery.model_fields))
        return await find(cx, BooksQuery.model_validate(given)), []

    principal = await principal_of(request)
    # A system's pages are under /<code>, and reading them is its permission <code>.read.
    require(request, principal, f"{request.url.path.split('/')[1]}.read")
    page, books = await platform.database.read(ask, token=principal.token)
    context = {"title": title, "asked": asked, "columns": columns, "page": page, "books": books}
    return rendering.page(request, platform, "listing.html", context)


# Steps from one pair to the next along the index, since DISTINCT would read every row.
_BOOKS = """
WITH RECURSIVE books AS (
    (SELECT fiscal_year, division FROM {table} ORDER BY fiscal_year, division LIMIT 1)
    UNION ALL
    SELECT following.fiscal_year, following.division
      FROM books,
           LATERAL (SELECT fiscal_year, division FROM {table} AS t
                     WHERE (t.fiscal_year, t.division) > (books.fiscal_year, books.division)
                     ORDER BY fiscal_year, division LIMIT 1) AS following
)
SELECT books.fiscal_year, books.division, d.name
  FROM books
  LEFT JOIN standards.division AS d
    ON d.code = books.division
   AND books.fiscal_year BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
 LIMIT %s
"""


async def _books(cx: AsyncConnection, table: sql.Identifier) -> list[Books]:
    async with cx.cursor(row_factory=class_row(Books)) as cursor:
        await cursor.execute(sql.SQL(_BOOKS).format(table=table), (BOOKS_MOST,))
        return await cursor.fetchall()
