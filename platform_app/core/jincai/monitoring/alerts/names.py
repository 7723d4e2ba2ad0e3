"""What divisions and units are called: codes alone say little to who reads fifty of them."""

from collections.abc import Iterable, Mapping

from psycopg import AsyncConnection

# The name that is valid last, since an alert may be of any year.
_DIVISIONS = """
SELECT DISTINCT ON (code) code, name
  FROM standards.division
 WHERE code = ANY (%s)
 ORDER BY code, valid_from_year DESC
"""
# Of the year's edition in force; a code of another division is another unit.
_AGENCIES = """
SELECT a.fiscal_year, a.division, a.code, c.name
  FROM unnest(%s::int[], %s::text[], %s::text[]) AS a (fiscal_year, division, code)
  JOIN standards.in_force AS f ON f.fiscal_year = a.fiscal_year
  JOIN standards.code AS c
    ON (c.fiscal_year, c.edition, c.element, c.code) = (f.fiscal_year, f.edition, 'agency', a.code)
 WHERE coalesce(c.attributes ->> 'division', a.division) = a.division
"""

# Fiscal year, division, unit.
Unit = tuple[int, str, str]


async def of_divisions(cx: AsyncConnection, codes: Iterable[str]) -> dict[str, str]:
    """Code → name, where there is one."""
    return dict(await (await cx.execute(_DIVISIONS, (sorted(set(codes)),))).fetchall())


async def of_units(cx: AsyncConnection, units: Iterable[Unit]) -> Mapping[Unit, str]:
    """Unit → name, where the standards have one."""
    asked = sorted(set(units))
    if not asked:
        return {}
    columns = [list(column) for column in zip(*asked, strict=True)]
    found = await (await cx.execute(_AGENCIES, columns)).fetchall()
    return {(year, division, code): name for year, division, code, name in found}
