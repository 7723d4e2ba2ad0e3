"""Indicators that money of one may go to: the unit's others of the year, and those of the next."""

from collections.abc import Iterable

from psycopg import AsyncConnection

from jincai_budget.indicators import WholeIndicator

OFFERED_MOST = 1000

_OF = """
SELECT id, indicator_no || ' ' || exp_func_code || ' ' || dep_exp_eco_code || ' ' || summary
  FROM budget.indicator
 WHERE division = %(division)s AND agency_code = %(agency_code)s
   AND fiscal_year IN (%(fiscal_year)s, %(fiscal_year)s + 1) AND id <> %(id)s
 ORDER BY fiscal_year, indicator_no LIMIT %(most)s
"""


async def of(cx: AsyncConnection, indicator: WholeIndicator) -> dict[int, str]:
    """Id → what a person reads."""
    given = {**indicator.model_dump(include={"id", "division", "agency_code", "fiscal_year"})}
    return dict(await (await cx.execute(_OF, {**given, "most": OFFERED_MOST})).fetchall())


async def numbers(cx: AsyncConnection, ids: Iterable[int | None]) -> dict[int, str]:
    """Id → 指标文号."""
    asked = "SELECT id, indicator_no FROM budget.indicator WHERE id = ANY (%s)"
    return dict(await (await cx.execute(asked, ([one for one in ids if one],))).fetchall())
