"""The page of a list: choose the books, set conditions, sort, turn pages, take it along as Excel."""

import asyncio
from collections.abc import Sequence
from datetime import date

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import AsyncConnection, sql
from psycopg.rows import class_row
from pydantic import BaseModel, ValidationError

from jincai import language, spreadsheet
from jincai.auth.principal import principal_of, require
from jincai.pages import rendering
from jincai.paging import Page
from jincai.platform import Platform
from jincai.tables import EXPORT_MOST, Address, Column, Row, Table

BOOKS_MOST = 200

# A link above the list: Chinese, English, where to.
Action = tuple[str, str, str]


class Books(BaseModel):
    """The books of one division in one year; ``name`` is the division's, if it is known."""

    fiscal_year: int
    division: str
    name: str | None


async def answer(
    request: Request,
    platform: Platform,
    *,
    table: Table,
    title: tuple[str, str],
    permission: str,
    actions: Sequence[Action] = (),
) -> Response:
    """The page (or with ``format=xlsx`` the file) of what the address asks of ``table``.

    Without year and division it offers the books that there are for the reader.

    Raises:
        HTTPException: 401 for nobody, 403 without ``permission``, 422 for more rows than a file holds.
        RequestValidationError: the address asks something else than `Table.address` knows.
    """
    principal = await principal_of(request)
    require(request, principal, permission)
    asked = _asked(request, table)

    async def ask(cx: AsyncConnection) -> tuple[Page[BaseModel] | None, list[Row], list[Books]]:
        if asked.fiscal_year is None or asked.division is None:
            return None, [], await _books(cx, table.books)
        total = await table.count(cx, asked)
        if asked.format == "xlsx":
            _refuse_too_many(request, total)
            return None, await table.find(cx, asked.model_copy(update={"offset": 0}), EXPORT_MOST), []
        page = Page[BaseModel](items=[], total=total, limit=asked.limit, offset=asked.offset)
        return page, await table.find(cx, asked, asked.limit), []

    page, rows, books = await platform.database.read(ask, token=principal.token)
    if asked.format == "xlsx" and asked.fiscal_year and asked.division:
        return await _file(request, table, asked, rows)
    context = {
        "title": title[0] if language.of(request) == "zh" else title[1],
        "asked": asked,
        "table": table,
        "page": page,
        "rows": rows,
        "books": books,
        "actions": actions,
    }
    return rendering.page(request, platform, "listing.html", context)


def _asked(request: Request, table: Table) -> Address:
    try:
        return table.address().model_validate(dict(request.query_params))
    except ValidationError as error:
        errors = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from error


def _refuse_too_many(request: Request, total: int) -> None:
    if total > EXPORT_MOST:
        zh = f"共 {total} 行,一个文件最多 {EXPORT_MOST} 行。请增加查询条件后再导出。"
        en = f"{total} rows; a file holds {EXPORT_MOST}. Set more conditions, then export."
        raise HTTPException(422, zh if language.of(request) == "zh" else en)


async def _file(request: Request, table: Table, asked: Address, rows: Sequence[Row]) -> Response:
    zh = language.of(request) == "zh"
    headers = [one.title if zh else one.title_en for one in table.columns]
    cells = ([_cell(one, row[one.field], zh=zh) for one in table.columns] for row in rows)
    # In a thread: a hundred thousand rows take seconds, and others are waiting.
    made = await asyncio.to_thread(spreadsheet.write_xlsx, {table.name: (headers, cells)})
    name = f"{table.name}-{asked.division}-{asked.fiscal_year}.xlsx"
    return Response(
        made,
        media_type=spreadsheet.XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _cell(column: Column, value: object, *, zh: bool) -> spreadsheet.Cell:
    if column.kind == "money" and isinstance(value, int):
        return spreadsheet.yuan(value)
    if isinstance(value, str) and value in column.words:
        return column.words[value][0 if zh else 1]
    return value if isinstance(value, int | date) else "" if value is None else str(value)


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
