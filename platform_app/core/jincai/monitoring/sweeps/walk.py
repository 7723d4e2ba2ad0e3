"""How a long run goes through history: one division's records by day and id, a bounded piece at a time.

Each piece is a transaction that also moves the cursor, so a run that was cut off goes on where it stood.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from psycopg import AsyncConnection, sql

from jincai.auth.reach import reached
from jincai.identity import SHANGHAI
from jincai.monitoring.vocabulary import Vocabulary

# A run covers so many days at most.
DAYS_MOST = 1_100
DAY = dt.timedelta(days=1)
# After every record of a day.
_LAST_ID = 2**63 - 1

# Steps from one division to the next along an index, since DISTINCT would read every record.
_DIVISIONS = """
WITH RECURSIVE d (division) AS (
    (SELECT p.division FROM {relation} AS p ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (SELECT p.division FROM {relation} AS p WHERE p.division > d.division ORDER BY 1 LIMIT 1)
      FROM d WHERE d.division IS NOT NULL
)
SELECT division FROM d WHERE division IS NOT NULL
"""
_ALL_DIVISIONS = "SELECT DISTINCT p.division FROM {relation} AS p"
_COUNT = "SELECT count(*) FROM {relation} AS p WHERE true"
_PIECE = """
WITH piece AS (
    SELECT p.{date} AS day, p.id
      FROM {relation} AS p
     WHERE p.division = %s AND (p.{date}, p.id) > (%s, %s) AND p.{date} <= %s AND {counts}
     ORDER BY p.{date}, p.id
     LIMIT %s
)
SELECT day, id, count(*) OVER () FROM piece ORDER BY day DESC, id DESC LIMIT 1
"""
_IN_PIECE = (
    " AND p.division = %s AND (p.{date}, p.id) > (%s, %s) AND (p.{date}, p.id) <= (%s, %s) AND {counts}"
)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run is in one division: everything up to record ``id`` of ``day`` is judged."""

    division: str
    day: dt.date
    id: int
    to_day: dt.date
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What is judged in one transaction.

    Attributes:
        vocabulary: of the records; its relation is that of the day, if it is one of a day.
        where: conditions on ``p``, each begun with AND, and their arguments.
        records: how many there are.
        day: with ``id``, where the run is after it.
        last: whether nothing follows.
    """

    vocabulary: Vocabulary
    where: str
    arguments: tuple[object, ...]
    records: int
    day: dt.date
    id: int
    last: bool


def today() -> dt.date:
    """The day it is in China."""
    return dt.datetime.now(SHANGHAI).date()


def start(from_day: dt.date) -> tuple[dt.date, int]:
    """The cursor before the first record of ``from_day``."""
    return from_day - DAY, _LAST_ID


def month_ends(after: dt.date, until: dt.date) -> list[dt.date]:
    """Last days of months after ``after``, until ``until``; only of months that are over."""
    until = min(until, today() - DAY)
    found, year, month = [], after.year, after.month
    while dt.date(year, month, 1) <= until:
        end = dt.date(year, month, calendar.monthrange(year, month)[1])
        if after < end <= until:
            found.append(end)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


async def divisions(
    cx: AsyncConnection, vocabulary: Vocabulary, from_day: dt.date, to_day: dt.date, asked: Sequence[str] = ()
) -> list[str]:
    """Divisions with records that the session sees, of those ``asked`` for and below (none: of all)."""
    relations = [vocabulary.relation]
    if vocabulary.of_day:
        # The last day of each year's last month: a year's records are the same on all of its days.
        ends = {end.year: end for end in month_ends(from_day - DAY, to_day)}
        relations = [_of_day(vocabulary, end, None).relation for end in ends.values()]
    found: set[str] = set()
    for relation in relations:
        query = (_ALL_DIVISIONS if vocabulary.of_day else _DIVISIONS).format(relation=relation)
        found |= {code for (code,) in await (await cx.execute(query.encode())).fetchall()}
    within = await reached(cx, list(asked) or None)
    return sorted(found if within is None else found & set(within))


async def next_piece(cx: AsyncConnection, vocabulary: Vocabulary, place: Place) -> Piece | None:
    """The next records to judge, or None when all are."""
    if vocabulary.of_day:
        return await _month(cx, vocabulary, place)
    query = _PIECE.format(relation=vocabulary.relation, date=vocabulary.date, counts=vocabulary.counts)
    begin = (place.division, place.day, place.id)
    # In the order of the index, which ends after so many: a sort would read the whole division each time.
    await cx.execute("SET LOCAL enable_sort = off")
    row = await (await cx.execute(query.encode(), (*begin, place.to_day, place.size))).fetchone()
    await cx.execute("SET LOCAL enable_sort = on")
    if row is None:
        return None
    day, number, records = row
    where = _IN_PIECE.format(date=vocabulary.date, counts=vocabulary.counts)
    return Piece(vocabulary, where, (*begin, day, number), records, day, number, records < place.size)


async def _month(cx: AsyncConnection, vocabulary: Vocabulary, place: Place) -> Piece | None:
    ends = month_ends(place.day, place.to_day)
    if not ends:
        return None
    at_end = _of_day(vocabulary, ends[0], place.division)
    where = f" AND p.division = %s AND {vocabulary.counts}"
    query = _COUNT.format(relation=at_end.relation) + where
    row = await (await cx.execute(query.encode(), (place.division,))).fetchone()
    records = row[0] if row else 0
    return Piece(at_end, where, (place.division,), records, ends[0], _LAST_ID, len(ends) == 1)


def of_these(vocabulary: Vocabulary, ids: Iterable[int]) -> tuple[str, tuple[object, ...]]:
    """Conditions on ``p`` that these records meet, as in a `Piece`."""
    return f" AND p.id = ANY (%s) AND {vocabulary.counts}", (list(ids),)


def _of_day(vocabulary: Vocabulary, day: dt.date, division: str | None) -> Vocabulary:
    asked = f"DATE '{day.isoformat()}', {sql.Literal(division).as_string(None)}"
    return replace(vocabulary, relation=f"{vocabulary.relation}({asked})")
