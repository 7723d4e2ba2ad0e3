"""Which divisions a grant reaches: the division itself and what is below it this year."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from jincai.paging import this_year

# A code that this year's standards lack reaches just itself.
_REACHED = """
WITH RECURSIVE reached (code) AS (
    SELECT unnest(%(granted)s::text[])
    UNION
    SELECT d.code
      FROM standards.division AS d
      JOIN reached ON d.parent = reached.code
     WHERE d.valid_from_year <= %(year)s
       AND (d.valid_to_year IS NULL OR d.valid_to_year >= %(year)s)
)
SELECT coalesce(array_agg(code ORDER BY code), '{}') FROM reached
"""


async def reached(cx: AsyncConnection, granted: Sequence[str] | None) -> list[str] | None:
    """Every code that ``granted`` reaches, a city's counties one by one; None for all."""
    if granted is None:
        return None
    row = await (await cx.execute(_REACHED, {"granted": list(granted), "year": this_year()})).fetchone()
    return list(row[0]) if row else []
