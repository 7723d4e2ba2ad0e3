"""Lists as data: which rows, which columns, what may be asked of them. Pages and exports are made from it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from functools import cached_property
from typing import Annotated, Any, Literal, LiteralString

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from pydantic import Field, create_model

from jincai.money import Yuan
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, PageQuery, Year

Words = Mapping[str, tuple[str, str]]
Row = dict[str, Any]
# An export is one answer, made in memory.
EXPORT_MOST = 100_000


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: its heading in Chinese.
        title_en: and in English.
        field: which field of the row it shows.
        kind: ``money`` is in fen, and shown in yuan, to the right.
        words: for a coded field, code → Chinese and English.
        link: where its cells lead, with the row's fields in braces: ``/payment/payments/{id}``.
    """

    title: str
    title_en: str
    field: str
    kind: Literal["text", "money", "date", "number"] = "text"
    words: Words = field_of(default_factory=dict)
    link: str = ""


@dataclass(frozen=True)
class Filter:
    """One condition that a reader may set.

    Attributes:
        name: of the parameter in the address.
        title: Chinese.
        title_en: English.
        field: of the row that it looks at.
        how: ``from`` and ``to`` include their bound.
        kind: ``money`` is given in yuan; ``choice`` offers ``words``.
        words: code → Chinese and English, for a choice.
    """

    name: str
    title: str
    title_en: str
    field: str
    how: Literal["equals", "contains", "from", "to"] = "equals"
    kind: Literal["text", "money", "date", "number", "choice"] = "text"
    words: Words = field_of(default_factory=dict)


class Address(PageQuery, PageAddress):
    """What every list is asked; without year and division it offers the books there are."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    sort: str = ""
    format: Literal["html", "xlsx"] = "html"


@dataclass(frozen=True)
class Table:
    """A list.

    Attributes:
        name: of the exported file.
        books: the table in whose years and divisions there are rows.
        rows: a SELECT, without ORDER BY, that uses ``%(fiscal_year)s`` and ``%(division)s``.
        columns: what is shown.
        filters: what may be asked.
        order: fields to sort by unless asked otherwise; ``-`` sorts descending. The last one is unique.
    """

    name: str
    books: sql.Identifier
    rows: LiteralString
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    order: tuple[str, ...] = ("id",)

    def address(self) -> type[Address]:
        """The model of what may be asked of this list."""
        return self._address

    @cached_property
    def _address(self) -> type[Address]:
        # Making a model takes longer than most questions.
        fields: dict[str, Any] = {one.name: (_type(one) | None, None) for one in self.filters}
        sortable = [way + one.field for one in self.columns for way in ("", "-")]
        fields["sort"] = (Literal[("", *sortable)], "")
        return create_model(f"{self.name}_address", __base__=Address, **fields)

    async def count(self, cx: AsyncConnection, asked: Address) -> int:
        """How many rows match."""
        query = sql.SQL("SELECT count(*) FROM ({rows}) AS t WHERE {where}").format(**self._parts(asked))
        row = await (await cx.execute(query, asked.model_dump())).fetchone()
        return row[0] if row else 0

    async def counts(self, cx: AsyncConnection, asked: Address, field: str) -> dict[str, int]:
        """How many rows match, by the values of ``field``."""
        query = sql.SQL("SELECT t.{field}, count(*) FROM ({rows}) AS t WHERE {where} GROUP BY 1").format(
            field=sql.Identifier(field), **self._parts(asked)
        )
        return dict(await (await cx.execute(query, asked.model_dump())).fetchall())

    async def find(self, cx: AsyncConnection, asked: Address, limit: int) -> list[Row]:
        """The matching rows from ``asked.offset`` on, ``limit`` at most, sorted."""
        query = sql.SQL(
            "SELECT * FROM ({rows}) AS t WHERE {where} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s"
        ).format(**self._parts(asked))
        async with cx.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, {**asked.model_dump(), "limit": limit})
            return await cursor.fetchall()

    def _parts(self, asked: Address) -> dict[str, sql.Composable]:
        given = asked.model_dump()
        where = [_condition(one, given[one.name]) for one in self.filters if given[one.name] is not None]
        keys = [asked.sort] if asked.sort else []
        order = [
            _direction(key)
            for key in (*keys, *(one for one in self.order if one.strip("-") != asked.sort.strip("-")))
        ]
        return {
            "rows": sql.SQL(self.rows),
            "where": sql.SQL(" AND ").join(where) if where else sql.SQL("true"),
            "order": sql.SQL(", ").join(order),
        }


def _direction(key: str) -> sql.Composable:
    column = sql.SQL("t.") + sql.Identifier(key.removeprefix("-"))
    return column + sql.SQL(" DESC") if key.startswith("-") else column


def _condition(one: Filter, given: object) -> sql.Composable:
    # `strpos` takes what the reader types as it is; LIKE would know % and _ as something else.
    patterns: dict[str, LiteralString] = {
        "equals": "t.{field} = {given}",
        # Chinese and digits have no case: to look for them as they are takes a third of the time.
        "contains": "strpos(lower(t.{field}), lower({given})) > 0"
        if str(given).lower() != str(given).upper()
        else "strpos(t.{field}, {given}) > 0",
        "from": "t.{field} >= {given}",
        "to": "t.{field} <= {given}",
    }
    parts = {"field": sql.Identifier(one.field), "given": sql.Placeholder(one.name)}
    return sql.SQL(patterns[one.how]).format(**parts)


def _type(one: Filter) -> Any:
    if one.kind == "choice":
        return Literal[tuple(one.words)]
    text = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
    return {
        "text": text,
        "money": Yuan,
        "date": dt.date,
        "number": Annotated[int, Field(ge=-(2**63), lt=2**63)],
    }[one.kind]
