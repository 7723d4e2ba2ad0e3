"""Writes the alerts that rules cause in a piece of history; a rule that fails does not keep the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg import AsyncConnection, sql

from jincai.monitoring import judging
from jincai.monitoring.rulesets import Judged
from jincai.monitoring.vocabulary import Vocabulary

# Of all rules together, and of one by itself, over a piece.
TOGETHER_MILLISECONDS = 30_000
ALONE_MILLISECONDS = 15_000
# The data do not fit the rule (a number out of range, say), or it takes too long.
FAILURES = (psycopg.errors.QueryCanceled, psycopg.DataError, psycopg.errors.StatementTooComplex)

_SETTINGS = (
    "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL plan_cache_mode = force_custom_plan;"
    # One hand is one core's work: the others are the requests'.
    " SET LOCAL max_parallel_workers_per_gather = 0"
)


@dataclass
class Judgement:
    """What came of a piece: alerts written, and rule → why it could not be judged."""

    found: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is judged: records of ``vocabulary`` that meet ``where``, by rules of the edition ``edition``."""

    vocabulary: Vocabulary
    edition: int
    where: str
    arguments: tuple[object, ...]


class TooLongError(Exception):
    """The piece takes too long for its size: judge a smaller one."""


def name_of(one: Judged) -> str:
    """What a rule's version is called in messages."""
    return f"{one.rule.id} v{one.version}{' (shadow)' if one.shadow else ''}"


async def prepare(cx: AsyncConnection) -> None:
    """The settings of a transaction that goes through history."""
    await cx.execute(_SETTINGS, prepare=False)


async def judge(
    cx: AsyncConnection, ground: Ground, rules: Sequence[Judged], *, smallest: bool = True
) -> Judgement:
    """Judge by ``rules``.

    Raises:
        TooLongError: all together took too long and the piece is not the ``smallest``.
    """
    done = Judgement()
    if not rules:
        return done
    try:
        done.found = await _write(cx, ground, rules, TOGETHER_MILLISECONDS)
    except FAILURES as error:
        if isinstance(error, psycopg.errors.QueryCanceled) and not smallest:
            raise TooLongError from error
        for one in rules:
            try:
                done.found += await _write(cx, ground, [one], ALONE_MILLISECONDS)
            except FAILURES as reason:
                done.failed[name_of(one)] = told(reason)
    return done


def told(error: psycopg.Error) -> str:
    """PostgreSQL's own words, bounded."""
    return (error.diag.message_primary or type(error).__name__)[:200]


def unless_released(one: Judged, vocabulary: Vocabulary) -> Judged:
    """The rule, silent about what it held and somebody released; its shadow speaks of every record."""
    if one.shadow or one.built_in or one.rule.stage != "before" or not vocabulary.released:
        return one
    return replace(one, predicate=f"({one.predicate}) AND NOT {was_held(one.rule.id, vocabulary)}")


def was_held(rule: str, vocabulary: Vocabulary) -> str:
    """SQL over ``p``: ``rule`` held it before it was paid."""
    return (
        vocabulary.released.format(rule=sql.Literal(rule).as_string(None)) if vocabulary.released else "false"
    )


async def _write(cx: AsyncConnection, ground: Ground, rules: Sequence[Judged], milliseconds: int) -> int:
    judged = [unless_released(one, ground.vocabulary) for one in rules]
    statement = (
        judging.write_alerts(judged, ground.vocabulary, "sweep") + ground.where + " ON CONFLICT DO NOTHING"
    )
    async with cx.transaction():
        await cx.execute(f"SET LOCAL statement_timeout = {milliseconds}".encode())
        return (await cx.execute(statement.encode(), (ground.edition, *ground.arguments))).rowcount
