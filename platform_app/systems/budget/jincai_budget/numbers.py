"""指标文号: numbers of indicators, counted for each unit in each year."""

from psycopg import AsyncConnection

_TAKE = """
INSERT INTO budget.indicator_number AS n (fiscal_year, division, agency_code, last_no)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(count)s)
    ON CONFLICT (fiscal_year, division, agency_code) DO UPDATE SET last_no = n.last_no + excluded.last_no
RETURNING last_no - %(count)s
"""


async def take(cx: AsyncConnection, fiscal_year: int, division: str, agency_code: str, count: int) -> int:
    """Take ``count`` numbers; the number before the first of them. Others wait until the transaction ends."""
    given = {"fiscal_year": fiscal_year, "division": division, "agency_code": agency_code, "count": count}
    row = await (await cx.execute(_TAKE, given)).fetchone()
    if row is None:
        raise AssertionError("RETURNING returned nothing")
    return int(row[0])
