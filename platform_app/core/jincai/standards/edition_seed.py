"""Publishes what a release ships as edition 1 of each year that has none; what people made stays as it is."""

import psycopg

from jincai.paging import this_year
from jincai.standards import shipped

MAKER = "release"
PUBLISHER = "release shipped"

_MAKE = """
INSERT INTO standards.edition (fiscal_year, number, note, made_by)
SELECT y.year, 1, '随平台发布的基础代码,不保证完整', %(maker)s
  FROM generate_series(%(first)s::integer, %(last)s) AS y (year)
 WHERE NOT EXISTS (SELECT FROM standards.edition AS e WHERE e.fiscal_year = y.year)
RETURNING fiscal_year
"""
_FILL = """
INSERT INTO standards.code (fiscal_year, edition, element, code, name, parent, attributes)
SELECT y.year, 1, s.element, s.code, s.name, s.parent, s.attributes
  FROM unnest(%s::smallint[]) AS y (year)
  JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::integer[], %s::integer[])
       AS s (element, code, name, parent, attributes, valid_from_year, valid_to_year)
    ON y.year BETWEEN s.valid_from_year AND coalesce(s.valid_to_year, 9999)
"""
_PUBLISH = """
UPDATE standards.edition
   SET state = 'published', published_by = %s, published_at = clock_timestamp()
 WHERE fiscal_year = ANY (%s) AND number = 1
"""


def load(cx: psycopg.Connection) -> dict[str, int]:
    """Editions from the first shipped year to the next one; table → rows added, nothing if none was missing.

    Raises:
        DataFileError: a shipped file is damaged; names file and line.
    """
    given = {"maker": MAKER, "first": shipped.FIRST_YEAR, "last": this_year() + 1}
    years = [row[0] for row in cx.execute(_MAKE, given).fetchall()]
    if not years:
        return {}
    columns = [list(column) for column in zip(*shipped.rows(), strict=True)]
    codes = cx.execute(_FILL, [years, *columns]).rowcount
    cx.execute(_PUBLISH, (PUBLISHER, years))
    return {"standards.edition": len(years), "standards.code": codes}
