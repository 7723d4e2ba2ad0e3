"""Loads the standards that a release ships; what a site changed itself stays as it is."""

from importlib import resources

import psycopg

from jincai.standards import division_file, edition_seed
from jincai.standards.division_file import Row

_LOAD = """
INSERT INTO standards.division AS present
       (code, name, level, parent, valid_from_year, valid_to_year, source)
SELECT code, name, level, parent, valid_from_year, valid_to_year, 'release'
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::smallint[])
       AS shipped (code, name, level, parent, valid_from_year, valid_to_year)
    ON CONFLICT (code, valid_from_year) DO UPDATE
   SET name = excluded.name,
       level = excluded.level,
       parent = excluded.parent,
       valid_to_year = excluded.valid_to_year
 WHERE present.source = 'release'
   AND (present.name, present.level, present.parent, present.valid_to_year)
       IS DISTINCT FROM (excluded.name, excluded.level, excluded.parent, excluded.valid_to_year)
"""


def load(cx: psycopg.Connection) -> dict[str, int]:
    """Insert or correct the shipped rows; table → rows changed, without tables that were right already.

    Raises:
        DataFileError: the shipped file is damaged; names file, line and field.
    """
    rows = shipped_divisions()
    columns = [list(column) for column in zip(*(_values(row) for row in rows), strict=True)]
    changed = cx.execute(_LOAD, columns).rowcount
    return ({"standards.division": changed} if changed else {}) | edition_seed.load(cx)


def shipped_divisions() -> tuple[Row, ...]:
    """The divisions in the package's own data file."""
    file = resources.files("jincai.standards") / "data" / "divisions.csv"
    return division_file.parse(file.read_text(encoding="utf-8"), file.name)


def _values(row: Row) -> tuple[str | int | None, ...]:
    return (row.code, row.name, row.level, row.parent, row.valid_from_year, row.valid_to_year)
