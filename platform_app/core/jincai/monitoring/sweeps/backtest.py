"""回测: what a version of a rule, a draft for instance, would have done over a period. Writes no alerts."""

import datetime as dt
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.monitoring import rule_file
from jincai.monitoring.language import RuleError, compiled
from jincai.monitoring.rule_file import RuleFileError
from jincai.monitoring.sweeps import judge, walk
from jincai.monitoring.sweeps.sweep import SMALLEST, Vocabularies, check_period
from jincai.monitoring.sweeps.walk import Piece, Place
from jincai.monitoring.vocabulary import Vocabulary
from jincai.paging import DivisionCode
from jincai.standards.editions import RefusedError

# Kept of one rule, and waiting at all.
KEPT_MOST = 20
WAITING_MOST = 10
HITS_MOST = 100_000
# What the database may spend on one, and on one piece of it.
SECONDS_MOST = 900.0
PIECE_MILLISECONDS = 20_000

_VERSION = """
SELECT version, revision, source
  FROM monitor.rule_version
 WHERE rule = %s AND (version = %s OR %s::integer IS NULL) AND state <> 'discarded'
 ORDER BY version DESC
 LIMIT 1
"""
_COUNTED = """
SELECT count(*) FILTER (WHERE rule = %s), count(*) FILTER (WHERE state IN ('waiting', 'running'))
  FROM monitor.back_test
"""
_BEGIN = """
INSERT INTO monitor.back_test (rule, version, revision, source, subject, from_day, to_day, made_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
RETURNING id
"""
_PARTS = """
INSERT INTO monitor.back_test_part (back_test, division, cursor_day, cursor_id)
SELECT %s, unnest(%s::text[]), %s, %s
"""
_CLAIM = """
SELECT b.id, b.state, b.rule, b.source, b.to_day, b.seconds, p.division, p.cursor_day, p.cursor_id, p.size,
       (SELECT coalesce(sum(o.found), 0)::bigint FROM monitor.back_test_part AS o
         WHERE o.back_test = b.id) AS found
  FROM monitor.back_test AS b
  JOIN monitor.back_test_part AS p ON p.back_test = b.id
 WHERE b.state IN ('waiting', 'running') AND NOT p.done AND (%(only)s::bigint IS NULL OR b.id = %(only)s)
 ORDER BY b.id, p.division
 LIMIT 1
   FOR UPDATE OF b, p SKIP LOCKED
"""
_HITS = """
INSERT INTO monitor.back_test_hit
       (back_test, as_of, subject_id, fiscal_year, division, agency_code, amount, was_held)
SELECT %s, p.{date}, p.id, p.fiscal_year, p.division, p.agency_code, p.amount, {was_held}
  FROM {relation} AS p
 WHERE {predicate}
"""
_MOVE = """
UPDATE monitor.back_test_part
   SET cursor_day = %s, cursor_id = %s, judged = judged + %s, found = found + %s, done = %s
 WHERE back_test = %s AND division = %s
"""
_SHRINK = "UPDATE monitor.back_test_part SET size = %s WHERE back_test = %s AND division = %s"
_WENT_ON = """
UPDATE monitor.back_test
   SET state = 'running', begun_at = coalesce(begun_at, clock_timestamp()),
       seconds = seconds + extract(epoch FROM clock_timestamp() - transaction_timestamp())
 WHERE id = %s
"""
_END = """
UPDATE monitor.back_test
   SET state = %s, why = %s, detail = %s, begun_at = coalesce(begun_at, clock_timestamp()),
       ended_at = clock_timestamp()
 WHERE id = %s
"""
_SETTLE = """
UPDATE monitor.back_test AS b
   SET state = 'done', ended_at = clock_timestamp()
 WHERE b.state IN ('waiting', 'running')
   AND NOT EXISTS (SELECT FROM monitor.back_test_part AS p WHERE p.back_test = b.id AND NOT p.done)
"""


class BackTestAsked(BaseModel):
    """What to try, over days with both ends; no version: the newest, a draft if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int | None = Field(default=None, ge=1, lt=2**31)
    from_day: dt.date
    to_day: dt.date
    divisions: tuple[DivisionCode, ...] = Field(default=(), max_length=200)


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    state: str
    rule: str
    source: str
    to_day: dt.date
    seconds: float
    division: str
    cursor_day: dt.date
    cursor_id: int
    size: int
    found: int


async def begin(cx: AsyncConnection, known: Vocabularies, rule: str, asked: BackTestAsked, by: str) -> int:
    """A back-test that waits to be run; its number.

    Raises:
        RefusedError: 404, no such version; 409, too many; 422, a wrong period, a wrong rule.
    """
    check_period(asked.from_day, asked.to_day)
    found = await (await cx.execute(_VERSION, (rule, asked.version, asked.version))).fetchone()
    if found is None:
        which = f"{rule} v{asked.version}" if asked.version else rule
        raise RefusedError(404, f"没有规则 {which}。", f"There is no rule {which}.")
    await _refuse_many(cx, rule)
    version, revision, source = found
    vocabulary = _understood(source, rule, known)[0]
    divisions = await walk.divisions(cx, vocabulary, asked.from_day, asked.to_day, asked.divisions)
    if not divisions:
        raise RefusedError(422, "所选区划没有可回测的记录。", "There are no records in these divisions.")
    given = (rule, version, revision, source, vocabulary.subject, asked.from_day, asked.to_day, by)
    row = await (await cx.execute(_BEGIN, given)).fetchone()
    number = int(row[0]) if row else 0
    await cx.execute(_PARTS, (number, divisions, *walk.start(asked.from_day)))
    return number


async def step(cx: AsyncConnection, known: Vocabularies, only: int | None = None) -> bool:
    """Try one piece of a back-test that waits (of ``only``, if given); whether there was any."""
    async with cx.cursor(row_factory=class_row(_Claimed)) as cursor:
        claimed = await (await cursor.execute(_CLAIM, {"only": only})).fetchone()
    if claimed is None:
        await cx.execute(_SETTLE)
        return False
    if claimed.seconds > SECONDS_MOST:
        await _end(cx, claimed.id, "failed", "too_long")
        return True
    try:
        vocabulary, predicate = _understood(claimed.source, claimed.rule, known)
    except RefusedError as error:
        await _end(cx, claimed.id, "failed", "not_understood", str(error))
        return True
    await judge.prepare(cx)
    if await _try(cx, vocabulary, predicate, claimed):
        await cx.execute(_WENT_ON, (claimed.id,))
    return True


async def cancel(cx: AsyncConnection, number: int) -> None:
    """Stop it; what it has found stays until it is deleted."""
    await cx.execute(
        "UPDATE monitor.back_test SET state = 'cancelled', ended_at = clock_timestamp()"
        " WHERE id = %s AND state IN ('waiting', 'running')",
        (number,),
    )


async def delete(cx: AsyncConnection, number: int) -> None:
    """Take it away with everything it found."""
    await cx.execute("DELETE FROM monitor.back_test WHERE id = %s", (number,))


def _understood(source: str, name: str, known: Vocabularies) -> tuple[Vocabulary, str]:
    """The vocabulary of the rule, and what it says in SQL."""
    try:
        rule = rule_file.load(source, f"{name}.yml")
        vocabulary = known[rule.subject]
        found = compiled(rule, vocabulary)
    except (RuleFileError, RuleError) as error:
        raise RefusedError(422, f"规则有误,请先改正:{error}", f"Correct the rule first: {error}") from None
    except KeyError:
        raise RefusedError(
            422, "没有系统提供此类记录。", "No system here has records of this kind."
        ) from None
    return vocabulary, vocabulary.fields[found.built_in].sql if found.built_in else found.predicate


async def _try(cx: AsyncConnection, vocabulary: Vocabulary, predicate: str, part: _Claimed) -> bool:
    """Try a piece; False, the back-test ended with it."""
    key = (part.id, part.division)
    place = Place(part.division, part.cursor_day, part.cursor_id, part.to_day, part.size)
    piece = await walk.next_piece(cx, vocabulary, place)
    if piece is None:
        await cx.execute(_MOVE, (part.cursor_day, part.cursor_id, 0, 0, True, *key))
        return True
    try:
        fired = await _write(cx, piece, predicate, part)
    except psycopg.errors.QueryCanceled:
        if vocabulary.of_day or part.size <= SMALLEST:
            await _end(cx, part.id, "failed", "too_slow", str(piece.records))
            return False
        await cx.execute(_SHRINK, (max(SMALLEST, part.size // 4), *key))
        return True
    except judge.FAILURES as error:
        await _end(cx, part.id, "failed", "not_judged", judge.told(error))
        return False
    await cx.execute(_MOVE, (piece.day, piece.id, piece.records, fired, piece.last, *key))
    if part.found + fired > HITS_MOST:
        await _end(cx, part.id, "failed", "too_many")
        return False
    return True


async def _write(cx: AsyncConnection, piece: Piece, predicate: str, part: _Claimed) -> int:
    statement = _HITS.replace("%s", "\0").format(
        date=piece.vocabulary.date,
        relation=piece.vocabulary.relation,
        was_held=judge.was_held(part.rule, piece.vocabulary),
        predicate=predicate,
    )
    statement = statement.replace("%", "%%").replace("\0", "%s") + piece.where
    async with cx.transaction():
        await cx.execute(f"SET LOCAL statement_timeout = {PIECE_MILLISECONDS}".encode())
        return (await cx.execute(statement.encode(), (part.id, *piece.arguments))).rowcount


async def _end(cx: AsyncConnection, number: int, state: str, why: str, detail: str = "") -> None:
    await cx.execute(_END, (state, why, detail[:500], number))


async def _refuse_many(cx: AsyncConnection, rule: str) -> None:
    row = await (await cx.execute(_COUNTED, (rule,))).fetchone()
    kept, waiting = row or (0, 0)
    if kept >= KEPT_MOST:
        raise RefusedError(
            409,
            f"规则 {rule} 已有 {KEPT_MOST} 次回测,请先删除不用的。",
            f"Rule {rule} has {KEPT_MOST} back-tests: delete some first.",
        )
    if waiting >= WAITING_MOST:
        raise RefusedError(
            409,
            f"已有 {WAITING_MOST} 次回测在排队,请等待或取消。",
            f"{WAITING_MOST} back-tests wait already: wait, or cancel some.",
        )
