"""标准版本: editions of code tables by fiscal year; which there are, and what of them is in force."""

import datetime as dt
from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai.paging import Page, PageQuery, Year


class RefusedError(Exception):
    """Something that cannot be done with an edition: an HTTP status, and why and what to do instead."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status = status
        self.zh = zh
        self.en = en


class Edition(BaseModel):
    """One edition; ``codes`` is how many it holds, ``in_force`` whether documents are checked against it."""

    model_config = ConfigDict(frozen=True)

    fiscal_year: int
    number: int
    state: Literal["draft", "published"]
    note: str
    based_on: int | None
    revision: int
    made_by: str
    made_at: dt.datetime
    changed_by: list[str]
    published_by: str | None
    published_at: dt.datetime | None
    in_force: bool
    codes: int


class EditionQuery(PageQuery):
    """Which editions; what is not given does not filter."""

    fiscal_year: Year | None = None
    state: Literal["draft", "published"] | None = None


_COUNT = """
SELECT count(*) FROM standards.edition AS e
 WHERE (%(fiscal_year)s::integer IS NULL OR e.fiscal_year = %(fiscal_year)s)
   AND (%(state)s::text IS NULL OR e.state = %(state)s)
"""
_ROWS = """
SELECT e.fiscal_year, e.number, e.state, e.note, e.based_on, e.revision, e.made_by, e.made_at, e.changed_by,
       e.published_by, e.published_at, f.edition IS NOT NULL AS in_force,
       -- Counting a hundred thousand for every line of a list takes long; the log of a publication says it.
       coalesce((SELECT (l.detail ->> 'codes')::integer FROM standards.edition_log AS l
                  WHERE (l.fiscal_year, l.edition, l.action) = (e.fiscal_year, e.number, 'published')),
                (SELECT count(*) FROM standards.code AS c
                  WHERE (c.fiscal_year, c.edition) = (e.fiscal_year, e.number))) AS codes
  FROM standards.edition AS e
  LEFT JOIN standards.in_force AS f ON (f.fiscal_year, f.edition) = (e.fiscal_year, e.number)
 WHERE (%(fiscal_year)s::integer IS NULL OR e.fiscal_year = %(fiscal_year)s)
   AND (%(state)s::text IS NULL OR e.state = %(state)s)
   AND (%(number)s::integer IS NULL OR e.number = %(number)s)
 ORDER BY e.fiscal_year DESC, e.number DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""


class Step(BaseModel):
    """Who did what to an edition, and why; a number that was discarded keeps its steps."""

    model_config = ConfigDict(frozen=True)

    action: str
    by: str
    at: dt.datetime
    detail: dict[str, str | int | list[str] | None]


_HISTORY = """
SELECT action, by, at, detail FROM standards.edition_log
 WHERE fiscal_year = %s AND edition = %s
 ORDER BY id DESC
 LIMIT %s
"""
HISTORY_MOST = 200


async def find(cx: AsyncConnection, asked: EditionQuery) -> Page[Edition]:
    """The editions that match, newest first."""
    given = asked.model_dump() | {"number": None}
    counted = await (await cx.execute(_COUNT, given)).fetchone()
    async with cx.cursor(row_factory=class_row(Edition)) as cursor:
        items = await (await cursor.execute(_ROWS, given)).fetchall()
    total = counted[0] if counted else 0
    return Page(items=items, total=total, limit=asked.limit, offset=asked.offset)


async def get(cx: AsyncConnection, year: int, number: int) -> Edition:
    """The edition.

    Raises:
        RefusedError: 404, there is none.
    """
    given = {"fiscal_year": year, "number": number, "state": None, "limit": 1, "offset": 0}
    async with cx.cursor(row_factory=class_row(Edition)) as cursor:
        found = await (await cursor.execute(_ROWS, given)).fetchone()
    if found is None:
        raise RefusedError(404, f"{year}年没有第{number}版。", f"There is no edition {number} of {year}.")
    return found


async def draft(cx: AsyncConnection, year: int) -> Edition:
    """The draft of ``year``.

    Raises:
        RefusedError: 404, there is none.
    """
    given = {"fiscal_year": year, "number": None, "state": "draft", "limit": 1, "offset": 0}
    async with cx.cursor(row_factory=class_row(Edition)) as cursor:
        found = await (await cursor.execute(_ROWS, given)).fetchone()
    if found is None:
        raise no_draft(year)
    return found


async def history(cx: AsyncConnection, year: int, number: int) -> list[Step]:
    """What was done to the edition, newest first, `HISTORY_MOST` at most."""
    async with cx.cursor(row_factory=class_row(Step)) as cursor:
        return await (await cursor.execute(_HISTORY, (year, number, HISTORY_MOST))).fetchall()


def no_draft(year: int) -> RefusedError:
    """Why nothing can be done with a draft that is not there."""
    return RefusedError(404, f"{year}年没有草案,请先新建。", f"{year} has no draft: begin one first.")
