"""试运行对比: what a version on trial said beside the one in force, since it began."""

import datetime as dt
from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.monitoring.sweeps.judge import was_held
from jincai.monitoring.sweeps.result import SHOWN_MOST, Hit
from jincai.monitoring.sweeps.sweep import Vocabularies
from jincai.monitoring.vocabulary import Vocabulary
from jincai.paging import Page, PageQuery

Which = Literal["both", "live", "shadow"]

# The newest edition's versions of the rule, and since when the one on trial is.
_VERSIONS = """
SELECT s.version, l.version,
       (SELECT min(e.published_at)
          FROM monitor.edition_rule AS r
          JOIN monitor.edition AS e ON e.number = r.edition
         WHERE r.rule = s.rule AND r.version = s.version AND r.shadow)
  FROM monitor.edition_rule AS s
  LEFT JOIN monitor.edition_rule AS l ON l.edition = s.edition AND l.rule = s.rule AND NOT l.shadow
 WHERE s.edition = (SELECT max(number) FROM monitor.edition) AND s.rule = %s AND s.shadow
"""
# A record counts for both whenever each of them spoke of it, a sweep perhaps long after the other. What the
# version in force alone said counts since the trial began.
_COMPARED = """
WITH shadow AS (
    SELECT a.* FROM monitor.alert AS a
     WHERE a.rule = %(rule)s AND a.version = %(version)s AND a.shadow AND a.subject = %(subject)s
), live AS (
    SELECT a.* FROM monitor.alert AS a
     WHERE a.rule = %(rule)s AND NOT a.shadow AND a.subject = %(subject)s
), compared AS (
    SELECT s.as_of, s.subject_id, s.fiscal_year, s.division, s.agency_code, s.amount,
           CASE WHEN EXISTS (SELECT FROM live AS l WHERE (l.subject_id, l.as_of) = (s.subject_id, s.as_of))
                  OR {was_held} THEN 'both' ELSE 'shadow' END AS compared
      FROM shadow AS s
    UNION ALL
    SELECT l.as_of, l.subject_id, l.fiscal_year, l.division, l.agency_code, l.amount, 'live'
      FROM live AS l
     WHERE l.found_at >= %(since)s
       AND NOT EXISTS (SELECT FROM shadow AS s WHERE (s.subject_id, s.as_of) = (l.subject_id, l.as_of))
)
"""
_COUNTS = """
SELECT count(*) FILTER (WHERE compared = 'both'), count(*) FILTER (WHERE compared = 'live'),
       count(*) FILTER (WHERE compared = 'shadow')
  FROM compared
"""
_LIST = """
SELECT *, count(*) OVER ()::bigint AS total FROM compared
 WHERE compared = %(which)s ORDER BY as_of DESC, subject_id DESC LIMIT %(limit)s OFFSET %(offset)s
"""
# Orders that it held or forbade: those that were not paid have no payment to be looked at by the other.
_STOPPED = """
SELECT count(*) FROM monitor.alert
 WHERE rule = %(rule)s AND NOT shadow AND subject = 'held' AND found_at >= %(since)s
"""


class Shadow(BaseModel):
    """A version on trial beside the version in force (null: none is), since the trial began.

    ``stopped``: orders that the version in force held or forbade meanwhile; unless they were released, there
    is no payment that the version on trial could have been asked about.
    """

    model_config = ConfigDict(frozen=True)

    rule: str
    shadow: int
    live: int | None
    since: dt.datetime
    both: int
    only_live: int
    only_shadow: int
    stopped: int


class ShadowQuery(PageQuery):
    """Which alerts."""

    which: Which
    offset: int = Field(default=0, ge=0, lt=SHOWN_MOST)


async def compare(cx: AsyncConnection, known: Vocabularies, rule: str) -> Shadow | None:
    """The comparison, of the divisions that the session sees; None: no version of ``rule`` is on trial."""
    asked = await _versions(cx, known, rule)
    if asked is None:
        return None
    head, given, live = asked
    row = await (await cx.execute((head + _COUNTS).encode(), given)).fetchone()
    both, only_live, only_shadow = row or (0, 0, 0)
    stopped = await (await cx.execute(_STOPPED, given)).fetchone()
    return Shadow.model_validate(
        {
            "rule": rule,
            "shadow": given["version"],
            "live": live,
            "since": given["since"],
            "both": both,
            "only_live": only_live,
            "only_shadow": only_shadow,
            "stopped": stopped[0] if stopped else 0,
        }
    )


async def alerts(cx: AsyncConnection, known: Vocabularies, rule: str, asked: ShadowQuery) -> Page[Hit] | None:
    """The newest `SHOWN_MOST` alerts of one kind; None: no version of ``rule`` is on trial."""
    versions = await _versions(cx, known, rule)
    if versions is None:
        return None
    head, given, _ = versions
    async with cx.cursor(row_factory=class_row(_Row)) as cursor:
        limit = min(asked.limit, SHOWN_MOST - asked.offset)
        await cursor.execute((head + _LIST).encode(), {**given, **asked.model_dump(), "limit": limit})
        rows = await cursor.fetchall()
    total = rows[0].total if rows else asked.offset
    return Page[Hit](items=list(rows), total=total, limit=asked.limit, offset=asked.offset)


class _Row(Hit):
    total: int = Field(exclude=True)


async def _versions(
    cx: AsyncConnection, known: Vocabularies, rule: str
) -> tuple[str, dict[str, object], int | None] | None:
    row = await (await cx.execute(_VERSIONS, (rule,))).fetchone()
    if row is None:
        return None
    version, live, since = row
    vocabulary = await _vocabulary(cx, known, rule, version)
    if vocabulary is None:
        return None
    given = {"rule": rule, "version": version, "since": since, "subject": vocabulary.subject}
    return _COMPARED.replace("{was_held}", _was_held(rule, vocabulary)), given, live


def _was_held(rule: str, vocabulary: Vocabulary) -> str:
    if not vocabulary.released:
        return "false"
    held = was_held(rule, vocabulary).replace("%", "%%")
    return f"EXISTS (SELECT FROM {vocabulary.relation} AS p WHERE p.id = s.subject_id AND {held})"


async def _vocabulary(cx: AsyncConnection, known: Vocabularies, rule: str, version: int) -> Vocabulary | None:
    query = "SELECT subject FROM monitor.alert WHERE rule = %s AND version = %s AND shadow LIMIT 1"
    row = await (await cx.execute(query, (rule, version))).fetchone()
    return known.get(row[0] if row else "payment")
