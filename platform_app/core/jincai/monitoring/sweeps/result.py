"""What a back-test found: how often and where, beside the version in force, beside what cases decided."""

import datetime as dt
from typing import Literal, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.monitoring.sweeps import decided
from jincai.monitoring.sweeps.decided import Agreement
from jincai.paging import Page, PageQuery, fetch
from jincai.standards.editions import RefusedError

# Shown of each list; an export holds as many.
SHOWN_MOST = 1_000

Which = Literal["all", "new", "both", "old"]

_TESTS: LiteralString = """
SELECT b.id, b.rule, b.version, b.revision, b.subject, b.from_day, b.to_day, b.state, b.why, b.detail,
       b.seconds, b.made_by, b.made_at, b.begun_at, b.ended_at, p.divisions, p.judged, p.fired, p.percent
  FROM monitor.back_test AS b
 CROSS JOIN LATERAL (
       SELECT count(*)::integer AS divisions, coalesce(sum(judged), 0)::bigint AS judged,
              coalesce(sum(found), 0)::bigint AS fired,
              coalesce(floor(avg(CASE WHEN done THEN 100.0 ELSE 100.0 * (cursor_day - b.from_day + 1)
                                      / (b.to_day - b.from_day + 1) END)), 100)::integer AS percent
         FROM monitor.back_test_part
        WHERE back_test = b.id) AS p
 WHERE p.divisions > 0
"""
_MONTHS = """
SELECT to_char(as_of, 'YYYY-MM') AS month, division, count(*) AS fired, sum(amount)::bigint AS amount
  FROM monitor.back_test_hit
 WHERE back_test = %s
 GROUP BY 1, 2
 ORDER BY 1, 2
"""
# What the version in force said: an alert, or a hold that somebody released.
_HITS: LiteralString = """
SELECT h.as_of, h.subject_id, h.fiscal_year, h.division, h.agency_code, h.amount,
       CASE WHEN h.was_held
              OR EXISTS (SELECT FROM monitor.alert AS a
                          WHERE (a.subject_id, a.subject) = (h.subject_id, b.subject)
                            AND (a.rule, a.as_of) = (b.rule, h.as_of) AND NOT a.shadow)
            THEN 'both' ELSE 'new' END AS compared
  FROM monitor.back_test AS b
  JOIN monitor.back_test_hit AS h ON h.back_test = b.id
 WHERE b.id = %(number)s
"""
# Only of records that the back-test came to.
_OLD: LiteralString = """
SELECT a.as_of, a.subject_id, a.fiscal_year, a.division, a.agency_code, a.amount, 'old' AS compared
  FROM monitor.back_test AS b
  JOIN monitor.alert AS a ON a.rule = b.rule AND a.subject = b.subject AND NOT a.shadow
                         AND a.as_of BETWEEN b.from_day AND b.to_day
  JOIN monitor.back_test_part AS p ON p.back_test = b.id AND p.division = a.division
                                  AND (p.done OR (a.as_of, a.subject_id) <= (p.cursor_day, p.cursor_id))
 WHERE b.id = %(number)s
   AND NOT EXISTS (SELECT FROM monitor.back_test_hit AS h
                    WHERE (h.back_test, h.as_of, h.subject_id) = (b.id, a.as_of, a.subject_id))
"""
_LISTS: dict[Which, LiteralString] = {
    "all": _HITS,
    "new": "SELECT * FROM (" + _HITS + ") AS t WHERE compared = 'new'",  # noqa: S608 - our own words
    "both": "SELECT * FROM (" + _HITS + ") AS t WHERE compared = 'both'",  # noqa: S608
    "old": _OLD,
}
_COMPARED: LiteralString = f"""
SELECT count(*) FILTER (WHERE compared = 'new'), count(*) FILTER (WHERE compared = 'both'),
       count(*) FILTER (WHERE compared = 'old')
  FROM ({_HITS} UNION ALL {_OLD}) AS t
"""  # noqa: S608 - our own words


class BackTest(BaseModel):
    """A back-test: what was asked, how far it is, ``fired`` so far, and ``why`` it was stopped."""

    model_config = ConfigDict(frozen=True)

    id: int
    rule: str
    version: int
    revision: int
    subject: str
    from_day: dt.date
    to_day: dt.date
    state: str
    why: str
    detail: str
    seconds: float
    made_by: str
    made_at: dt.datetime
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    divisions: int
    judged: int
    fired: int
    percent: int

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.state in {"waiting", "running"}


class Month(BaseModel):
    """How often it fired in a division in a month (``2010-03``), and on how much, fen."""

    model_config = ConfigDict(frozen=True)

    month: str
    division: str
    fired: int
    amount: int


class Compared(BaseModel):
    """Beside the alerts of the version in force: fired on by this version only, by both, by that one only."""

    model_config = ConfigDict(frozen=True)

    new: int
    both: int
    old: int


class Result(BackTest):
    """Everything that a back-test says; ``decided`` null where no case of the rule is decided."""

    months: list[Month]
    compared: Compared
    decided: Agreement | None


class Hit(BaseModel):
    """A record that the rule fires on; ``compared`` with the version in force."""

    model_config = ConfigDict(frozen=True)

    as_of: dt.date
    subject_id: int
    fiscal_year: int
    division: str
    agency_code: str
    amount: int
    compared: str


class HitQuery(PageQuery):
    """Which hits: ``old`` are those of the version in force that this one does not fire on."""

    which: Which = "all"
    offset: int = Field(default=0, ge=0, lt=SHOWN_MOST)


async def find(cx: AsyncConnection, rule: str) -> list[BackTest]:
    """The rule's back-tests, newest first."""
    async with cx.cursor(row_factory=class_row(BackTest)) as cursor:
        await cursor.execute(f"{_TESTS} AND b.rule = %s ORDER BY b.id DESC", (rule,))
        return await cursor.fetchall()


async def get(cx: AsyncConnection, number: int, rule: str | None = None) -> BackTest:
    """One back-test (of ``rule``).

    Raises:
        RefusedError: 404, there is none that the session sees.
    """
    async with cx.cursor(row_factory=class_row(BackTest)) as cursor:
        found = await (await cursor.execute(f"{_TESTS} AND b.id = %s", (number,))).fetchone()
    if found is None or rule not in {None, found.rule}:
        raise RefusedError(404, f"没有回测 {number}。", f"There is no back-test {number}.")
    return found


async def of(cx: AsyncConnection, number: int, rule: str | None = None) -> Result:
    """Everything it says.

    Raises:
        RefusedError: 404.
    """
    test = await get(cx, number, rule)
    async with cx.cursor(row_factory=class_row(Month)) as cursor:
        months = await (await cursor.execute(_MONTHS, (number,))).fetchall()
    row = await (await cx.execute(_COMPARED, {"number": number})).fetchone()
    new, both, old = row or (0, 0, 0)
    return Result(
        **test.model_dump(),
        months=months,
        compared=Compared(new=new, both=both, old=old),
        decided=await decided.agreement(cx, number),
    )


async def hits(cx: AsyncConnection, number: int, asked: HitQuery, most: int = SHOWN_MOST) -> Page[Hit]:
    """The first `SHOWN_MOST` of what it fires on, by day; ``total`` counts all of them."""
    rows = _LISTS[asked.which]
    page = await fetch(
        cx,
        Hit,
        rows=f"{rows} ORDER BY as_of, subject_id LIMIT %(limit)s OFFSET %(offset)s",
        count="SELECT count(*) FROM (" + rows + ") AS t",  # noqa: S608 - our own words
        asked=_Numbered(**(asked.model_dump() | {"number": number})),
    )
    return page.model_copy(update={"items": page.items[: most - asked.offset]})


class _Numbered(HitQuery):
    number: int
