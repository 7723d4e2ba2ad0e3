"""Pulling: documents of a kind in the order of their ids, from a cursor on."""

from itertools import takewhile
from operator import itemgetter
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.paging import DivisionCode, Year
from jincai.socket.document import Document, Pull

LIMIT_MOST = 1000
KIND = r"^[a-z][a-z0-9_]{1,31}$"

# Ids are allotted before they are committed. A row is settled when all that began writing before it has
# ended. A page ends before the first that is not: so nothing appears, or is passed over, behind the cursor.
_PAGE: LiteralString = """
SELECT r.*, age(r.written) > age(pg_snapshot_xmin(pg_current_snapshot())::xid) AS settled
  FROM ({rows}) AS r
 WHERE r.id > %(after)s
 ORDER BY r.id
 LIMIT %(limit)s + 1
"""


class PullQuery(BaseModel):
    """Which documents: those of one kind, year and division whose id is greater than ``after``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=KIND)
    fiscal_year: Year
    division: DivisionCode
    after: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=200, ge=1, le=LIMIT_MOST)


class Item(BaseModel):
    """One document under its id."""

    model_config = ConfigDict(frozen=True)

    id: int
    document: dict[str, Any]


class Pulled(BaseModel):
    """A page of documents; ``next`` is the ``after`` to go on with, now if there is ``more``, else later."""

    model_config = ConfigDict(frozen=True)

    kind: str
    items: list[Item]
    next: int
    more: bool


async def page(cx: AsyncConnection, document: Document, pull: Pull, asked: PullQuery) -> Pulled:
    """The documents ``asked`` for that the session of ``cx`` sees."""
    query: LiteralString = _PAGE.format(rows=pull.rows)
    async with cx.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(query, asked.model_dump(exclude={"kind"}))).fetchall()
    rows = list(takewhile(itemgetter("settled"), found))
    model = document.model()
    items = [
        Item(id=row["id"], document=model.model_validate(_fields(model, row)).model_dump(mode="json"))
        for row in rows[: asked.limit]
    ]
    last = items[-1].id if items else asked.after
    return Pulled(kind=document.kind, items=items, next=last, more=len(rows) > asked.limit)


def _fields(model: type[BaseModel], row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in model.model_fields}
