"""回扫: the rules in force over a period of history. What it finds are alerts, and none is found twice."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.monitoring import rulesets
from jincai.monitoring.rulesets import Judged
from jincai.monitoring.sweeps import judge, walk
from jincai.monitoring.sweeps.judge import Ground, TooLongError
from jincai.monitoring.sweeps.walk import DAYS_MOST, Place
from jincai.monitoring.vocabulary import Subject, Vocabulary
from jincai.paging import DivisionCode
from jincai.standards.editions import RefusedError
from jincai.system import System

Vocabularies = Mapping[Subject, Vocabulary]
# Sweeps that wait or run at once.
WAITING_MOST = 20
# Smaller pieces are not tried: then it is the rule that is too slow.
SMALLEST = 1_000

_BEGIN = """
INSERT INTO monitor.sweep (night, from_day, to_day, rules, edition, made_by)
VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (night) DO NOTHING
RETURNING id
"""
_PARTS = """
INSERT INTO monitor.sweep_part (sweep, subject, division, cursor_day, cursor_id)
SELECT %s, %s, unnest(%s::text[]), %s, %s
"""
# One that nobody works on just now; those of one sweep in the order of their progress.
_CLAIM = """
SELECT s.id, s.state, s.rules, s.trouble, s.to_day, p.subject, p.division, p.cursor_day, p.cursor_id, p.size
  FROM monitor.sweep_part AS p
  JOIN monitor.sweep AS s ON s.id = p.sweep
 WHERE s.state IN ('waiting', 'running') AND NOT p.done AND (%(only)s::bigint IS NULL OR s.id = %(only)s)
 ORDER BY s.id, p.judged, p.subject, p.division
 LIMIT 1
   FOR UPDATE OF p SKIP LOCKED
"""
_MOVE = """
UPDATE monitor.sweep_part
   SET cursor_day = %s, cursor_id = %s, judged = judged + %s, found = found + %s, done = %s
 WHERE sweep = %s AND subject = %s AND division = %s
"""
_SHRINK = "UPDATE monitor.sweep_part SET size = %s WHERE sweep = %s AND subject = %s AND division = %s"
_RUNNING = """
UPDATE monitor.sweep SET state = 'running', begun_at = clock_timestamp() WHERE id = %s AND state = 'waiting'
"""
_TROUBLE = "UPDATE monitor.sweep SET trouble = trouble || %s::jsonb WHERE id = %s"
_SETTLE = """
UPDATE monitor.sweep AS s
   SET state = CASE WHEN s.trouble = '{}' THEN 'done' ELSE 'incomplete' END, ended_at = clock_timestamp()
 WHERE s.state IN ('waiting', 'running')
   AND NOT EXISTS (SELECT FROM monitor.sweep_part AS p WHERE p.sweep = s.id AND NOT p.done)
"""


def vocabularies(systems: Iterable[System]) -> Vocabularies:
    """What rules may speak of, by kind of record."""
    return {one.subject: one for system in systems for one in system.monitored}


class SweepAsked(BaseModel):
    """What to sweep: days with both ends; no divisions: all that the asker sees; no rules: all in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_day: dt.date
    to_day: dt.date
    divisions: tuple[DivisionCode, ...] = Field(default=(), max_length=200)
    rules: tuple[str, ...] = Field(default=(), max_length=200)


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    state: str
    rules: list[str]
    trouble: dict[str, str]
    to_day: dt.date
    subject: Subject
    division: str
    cursor_day: dt.date
    cursor_id: int
    size: int


async def begin(
    cx: AsyncConnection, known: Vocabularies, asked: SweepAsked, by: str, *, night: dt.date | None = None
) -> int | None:
    """A sweep that waits to be run, its number; None, this ``night`` has one already.

    Raises:
        RefusedError: a period that is none or too long, an unknown rule, no records, too many waiting.
    """
    check_period(asked.from_day, asked.to_day)
    rules, edition = await _rules(cx, known)
    _refuse_unknown(asked.rules, {one.rule.id for one in rules})
    await _refuse_many(cx)
    subjects = {one.rule.subject for one in rules if not asked.rules or one.rule.id in asked.rules}
    parts = {
        subject: await walk.divisions(cx, known[subject], asked.from_day, asked.to_day, asked.divisions)
        for subject in sorted(subjects)
    }
    if night is None and not any(parts.values()):
        raise RefusedError(
            422,
            "所选期间和区划没有可回扫的记录(指标进度只在已过的月末审查)。",
            "There is nothing to sweep there (the pace of indicators is looked at when a month is over).",
        )
    given = (night, asked.from_day, asked.to_day, list(asked.rules), edition, by)
    row = await (await cx.execute(_BEGIN, given)).fetchone()
    if row is None:
        return None
    for subject, divisions in parts.items():
        await cx.execute(_PARTS, (row[0], subject, divisions, *walk.start(asked.from_day)))
    return int(row[0])


async def step(cx: AsyncConnection, known: Vocabularies, only: int | None = None) -> bool:
    """Judge one piece of a sweep that waits (of ``only``, if given); whether there was any."""
    async with cx.cursor(row_factory=class_row(_Claimed)) as cursor:
        claimed = await (await cursor.execute(_CLAIM, {"only": only})).fetchone()
    if claimed is None:
        await cx.execute(_SETTLE)
        return False
    if claimed.state == "waiting":
        await cx.execute(_RUNNING, (claimed.id,))
    await judge.prepare(cx)
    await _judge(cx, known[claimed.subject], claimed)
    return True


async def cancel(cx: AsyncConnection, number: int) -> None:
    """Stop a sweep; what it has found stays."""
    await cx.execute(
        "UPDATE monitor.sweep SET state = 'cancelled', ended_at = clock_timestamp()"
        " WHERE id = %s AND state IN ('waiting', 'running')",
        (number,),
    )


async def _judge(cx: AsyncConnection, vocabulary: Vocabulary, part: _Claimed) -> None:
    key = (part.id, part.subject, part.division)
    place = Place(part.division, part.cursor_day, part.cursor_id, part.to_day, part.size)
    piece = await walk.next_piece(cx, vocabulary, place)
    if piece is None:
        await cx.execute(_MOVE, (part.cursor_day, part.cursor_id, 0, 0, True, *key))
        return
    ruleset = await rulesets.in_force(cx, vocabulary)
    rules = _chosen(ruleset.rules, part)
    smallest = vocabulary.of_day or part.size <= SMALLEST
    ground = Ground(piece.vocabulary, ruleset.edition, piece.where, piece.arguments)
    try:
        done = await judge.judge(cx, ground, rules, smallest=smallest)
    except TooLongError:
        await cx.execute(_SHRINK, (max(SMALLEST, part.size // 4), *key))
        return
    if done.failed:
        await cx.execute(_TROUBLE, (json.dumps(done.failed), part.id))
    await cx.execute(_MOVE, (piece.day, piece.id, piece.records, done.found, piece.last, *key))


def _chosen(rules: Iterable[Judged], part: _Claimed) -> list[Judged]:
    """Those asked for, without those that have failed in this sweep: each would take its time again."""
    asked = set(part.rules)
    return [
        one for one in rules if (not asked or one.rule.id in asked) and judge.name_of(one) not in part.trouble
    ]


async def _rules(cx: AsyncConnection, known: Vocabularies) -> tuple[list[Judged], int]:
    sets = [await rulesets.in_force(cx, one) for one in known.values()]
    return [rule for one in sets for rule in one.rules], max((one.edition for one in sets), default=0)


def check_period(from_day: dt.date, to_day: dt.date) -> None:
    """Refuse a period that is none, or too long.

    Raises:
        RefusedError: 422.
    """
    if to_day < from_day:
        raise RefusedError(422, "截止日期早于起始日期。", "The last day is before the first.")
    if (to_day - from_day).days >= DAYS_MOST:
        raise RefusedError(
            422, f"期间最长 {DAYS_MOST} 天,请分段。", f"A period has {DAYS_MOST} days at most: ask for parts."
        )


def _refuse_unknown(asked: Sequence[str], there: set[str]) -> None:
    if not there:
        raise RefusedError(409, "尚无生效的规则,请先发布规则。", "No rules are in force: publish some first.")
    if unknown := sorted(set(asked) - there):
        listed = ", ".join(sorted(there, key=lambda one: (len(one), one)))
        raise RefusedError(
            422,
            f"规则 {unknown[0]} 未生效。生效的有:{listed}。",
            f"Rule {unknown[0]} is not in force; these are: {listed}.",
        )


async def _refuse_many(cx: AsyncConnection) -> None:
    query = "SELECT count(*) FROM monitor.sweep WHERE state IN ('waiting', 'running')"
    row = await (await cx.execute(query)).fetchone()
    if row and row[0] >= WAITING_MOST:
        raise RefusedError(
            409,
            f"已有 {WAITING_MOST} 次回扫在排队,请等待或取消。",
            f"{WAITING_MOST} sweeps wait already: wait, or cancel some.",
        )
