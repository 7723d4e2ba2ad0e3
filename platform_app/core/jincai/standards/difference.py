"""What differs between two editions: codes added, removed, and changed field by field."""

from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from jincai.paging import PageQuery
from jincai.standards.code_list import ElementName

Kind = Literal["added", "removed", "changed"]


class DifferenceQuery(PageQuery):
    """Which differences."""

    element: ElementName | None = None
    kind: Kind | None = None


class Change(BaseModel):
    """One field of a code that differs."""

    model_config = ConfigDict(frozen=True)

    field: str
    before: str | None
    after: str | None


class Differing(BaseModel):
    """One code that differs; ``name`` as after, of a removed one as before; ``changes`` of a changed one."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    element: str
    code: str
    name: str
    changes: tuple[Change, ...] = ()


class Difference(BaseModel):
    """A part of the differences; the counts are of all that match."""

    model_config = ConfigDict(frozen=True)

    items: list[Differing]
    added: int
    removed: int
    changed: int
    total: int
    limit: int
    offset: int


_DIFFERING = """
WITH before AS (
    SELECT * FROM standards.code WHERE fiscal_year = %(before_year)s AND edition = %(before)s
), after AS (
    SELECT * FROM standards.code WHERE fiscal_year = %(after_year)s AND edition = %(after)s
), differing AS (
    SELECT CASE WHEN b.code IS NULL THEN 'added'
                WHEN a.code IS NULL THEN 'removed'
                ELSE 'changed'
           END AS kind,
           element, code, b.name AS b_name, b.parent AS b_parent, b.attributes AS b_attributes,
           a.name AS a_name, a.parent AS a_parent, a.attributes AS a_attributes
      FROM before AS b
      FULL JOIN after AS a USING (element, code)
     WHERE (b.name, b.parent, b.attributes) IS DISTINCT FROM (a.name, a.parent, a.attributes)
)
"""
_COUNTS = (
    _DIFFERING
    + """
SELECT kind, count(*) AS n FROM differing
 WHERE (%(element)s::text IS NULL OR element = %(element)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
 GROUP BY 1
"""
)
_ROWS = (
    _DIFFERING
    + """
SELECT * FROM differing
 WHERE (%(element)s::text IS NULL OR element = %(element)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
 ORDER BY element, code
 LIMIT %(limit)s OFFSET %(offset)s
"""
)


async def between(
    cx: AsyncConnection, before: tuple[int, int], after: tuple[int, int], asked: DifferenceQuery
) -> Difference:
    """What ``after`` has otherwise than ``before``, each given as fiscal year and number."""
    given = asked.model_dump(include=set(DifferenceQuery.model_fields)) | {
        "before_year": before[0],
        "before": before[1],
        "after_year": after[0],
        "after": after[1],
    }
    async with cx.cursor(row_factory=dict_row) as cursor:
        counts = {row["kind"]: row["n"] for row in await (await cursor.execute(_COUNTS, given)).fetchall()}
        rows = await (await cursor.execute(_ROWS, given)).fetchall()
    return Difference(
        items=[_differing(row) for row in rows],
        added=counts.get("added", 0),
        removed=counts.get("removed", 0),
        changed=counts.get("changed", 0),
        total=sum(counts.values()),
        limit=asked.limit,
        offset=asked.offset,
    )


def _differing(row: dict[str, Any]) -> Differing:
    changes: tuple[Change, ...] = ()
    if row["kind"] == "changed":
        before = {"name": row["b_name"], "parent": row["b_parent"], **row["b_attributes"]}
        after = {"name": row["a_name"], "parent": row["a_parent"], **row["a_attributes"]}
        changes = tuple(
            Change(field=name, before=before.get(name), after=after.get(name))
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        )
    name = row["b_name"] if row["kind"] == "removed" else row["a_name"]
    return Differing(kind=row["kind"], element=row["element"], code=row["code"], name=name, changes=changes)
