"""How lists are asked for and answered: bounded pages, scoped to a fiscal year and a division."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Generic, LiteralString, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.identity import SHANGHAI

PAGE_MOST = 200
OFFSET_MOST = 100_000

T = TypeVar("T", bound=BaseModel)

DivisionCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]
Year = Annotated[int, Field(ge=1949, le=9999)]


def this_year() -> int:
    """The fiscal year that runs now, in China."""
    return dt.datetime.now(SHANGHAI).year


class PageQuery(BaseModel):
    """Which part of a list; a parameter that is not known is refused, so that a slip is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(default=50, ge=1, le=PAGE_MOST)
    offset: int = Field(default=0, ge=0, le=OFFSET_MOST)


class BooksQuery(PageQuery):
    """Which part of the books of one division in one fiscal year."""

    fiscal_year: Year
    division: DivisionCode


class Page(BaseModel, Generic[T]):
    """A part of a list; ``total`` counts everything that matches."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    total: int
    limit: int
    offset: int


async def fetch(
    cx: AsyncConnection,
    kind: type[T],
    *,
    rows: LiteralString,
    count: LiteralString,
    asked: PageQuery,
) -> Page[T]:
    """The page ``asked`` for.

    ``rows`` selects the fields of ``kind`` and ends in ``LIMIT %(limit)s OFFSET %(offset)s``; ``count``
    counts them all. Both may use the fields of ``asked`` as named parameters.
    """
    arguments: Mapping[str, object] = asked.model_dump()
    counted = await (await cx.execute(count, arguments)).fetchone()
    async with cx.cursor(row_factory=class_row(kind)) as cursor:
        items = await (await cursor.execute(rows, arguments)).fetchall()
    return Page(items=items, total=counted[0] if counted else 0, limit=asked.limit, offset=asked.offset)
