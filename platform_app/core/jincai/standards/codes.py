"""Codes of the edition in force: what documents of a year are checked against."""

from collections.abc import Iterable

from psycopg import AsyncConnection

# Each pair whose code is not in force.
_UNKNOWN = """
SELECT a.element, a.code
  FROM unnest(%(elements)s::text[], %(codes)s::text[]) AS a (element, code)
 WHERE NOT EXISTS (SELECT FROM standards.in_force AS f
                     JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
                    WHERE f.fiscal_year = %(fiscal_year)s AND (c.element, c.code) = (a.element, a.code))
 ORDER BY 1, 2
"""


async def unknown(
    cx: AsyncConnection, fiscal_year: int, asked: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of ``asked``, pairs of element and code, that the year's edition in force does not have.

    A year without a published edition has no code at all. One statement, however many pairs.
    """
    pairs = sorted(set(asked))
    if not pairs:
        return []
    elements, codes = (list(column) for column in zip(*pairs, strict=True))
    given = {"fiscal_year": fiscal_year, "elements": elements, "codes": codes}
    return await (await cx.execute(_UNKNOWN, given)).fetchall()
