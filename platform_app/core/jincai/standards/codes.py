"""Codes of the edition in force: what documents of a year are checked against."""

from collections.abc import Collection, Iterable

from psycopg import AsyncConnection

# Each code that is not in force in its year.
_UNKNOWN = """
SELECT a.fiscal_year, a.element, a.code
  FROM unnest(%s::smallint[], %s::text[], %s::text[]) AS a (fiscal_year, element, code)
 WHERE NOT EXISTS (SELECT FROM standards.code AS c
                    WHERE (c.fiscal_year, c.element, c.code) = (a.fiscal_year, a.element, a.code)
                      AND c.edition = (SELECT f.edition FROM standards.in_force AS f
                                        WHERE f.fiscal_year = a.fiscal_year))
 ORDER BY 1, 2, 3
"""


async def unknown(
    cx: AsyncConnection, fiscal_year: int, asked: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of ``asked``, pairs of element and code, that the year's edition in force does not have.

    A year without a published edition has no code at all. One statement, however many pairs.
    """
    found = await unknown_of_years(cx, {(fiscal_year, element, code) for element, code in asked})
    return [(element, code) for _, element, code in found]


async def unknown_of_years(
    cx: AsyncConnection, asked: Collection[tuple[int, str, str]]
) -> list[tuple[int, str, str]]:
    """The same for documents of several years: those of ``asked``, fiscal year, element and code."""
    if not asked:
        return []
    columns = [list(column) for column in zip(*sorted(set(asked)), strict=True)]
    return await (await cx.execute(_UNKNOWN, columns)).fetchall()
