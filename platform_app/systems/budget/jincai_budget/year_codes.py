"""Codes to choose from in a form: those of the year's edition in force, with their names."""

from psycopg import AsyncConnection

# A list of suggestions that a browser still shows at once.
CODES_MOST = 3000

_CODES = """
SELECT c.element, c.code, c.name
  FROM standards.in_force AS f
  JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
 WHERE f.fiscal_year = %s AND c.element IN ('bgt_type', 'fund_type', 'exp_func', 'dep_exp_eco')
 ORDER BY 1, 2 LIMIT %s
"""


async def of(cx: AsyncConnection, fiscal_year: int) -> dict[str, dict[str, str]]:
    """Element → code → name."""
    found: dict[str, dict[str, str]] = {"bgt_type": {}, "fund_type": {}, "exp_func": {}, "dep_exp_eco": {}}
    for element, code, name in await (await cx.execute(_CODES, (fiscal_year, CODES_MOST))).fetchall():
        found[element][code] = name
    return found
