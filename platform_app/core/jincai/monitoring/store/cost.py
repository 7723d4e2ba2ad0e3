"""What a rule costs per payment: estimated by the planner, then tried on the newest records of the database.

A rule runs inside every posting, so a dear one slows all payments down: it is refused before it is in force.
"""

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, Rollback

from jincai.monitoring.vocabulary import Vocabulary
from jincai.standards.editions import RefusedError

PLANNED_RECORDS = 5_000
TRIED_RECORDS = 2_000
TRIAL_MILLISECONDS = 2_000
MICROSECONDS_MOST = 200.0
# So long any trial may take: of a few records the mean says little, since to begin takes time by itself.
FREE_MILLISECONDS = 20.0
# In the planner's units; reading a table from end to end for each payment costs more.
PLANNED_MOST = 20_000.0

# The predicate fails on a record: a number out of range, a division by nothing, an expression too deep.
_FAILS = {"21", "22", "42", "54"}


@dataclass(frozen=True)
class Cost:
    """Per record.

    Attributes:
        records: how many it was tried on; 0: there are none that the asker sees, so nothing is known.
        planned: the planner's units.
        microseconds: measured mean, None if it was not tried.
    """

    records: int
    planned: float | None = None
    microseconds: float | None = None


async def measure(cx: AsyncConnection, predicate: str, vocabulary: Vocabulary) -> Cost:
    """What ``predicate`` costs on the newest records that the session sees; changes nothing.

    Raises:
        RefusedError: 422, it is too dear, does not end in time, or fails; says what was measured, the limit
            and what to do.
    """
    found = Cost(0)
    async with cx.transaction():
        # With the savepoint goes every setting.
        await cx.execute("SET LOCAL transaction_read_only = on")
        await cx.execute("SET LOCAL jit = off")
        await cx.execute(f"SET LOCAL statement_timeout = {TRIAL_MILLISECONDS}".encode())
        try:
            found = await _measured(cx, predicate, vocabulary)
        except psycopg.errors.QueryCanceled as error:
            raise _dear(
                f"{TRIED_RECORDS}笔未在{TRIAL_MILLISECONDS // 1000}秒内完成",
                f"{TRIED_RECORDS} records took longer than {TRIAL_MILLISECONDS // 1000} s",
            ) from error
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in _FAILS:
                raise
            why = error.diag.message_primary or str(error)
            zh = f"规则在现有记录上运行出错:{why}。请修改表达式,使其对任何记录都有结果。"
            en = f"The rule fails on records there are: {why}. Change it to have a result for every record."
            raise RefusedError(422, zh, en) from error
        raise Rollback
    return found


async def _measured(cx: AsyncConnection, predicate: str, vocabulary: Vocabulary) -> Cost:
    row = await (await cx.execute(_asked("count(*)", vocabulary, PLANNED_RECORDS))).fetchone()
    records = int(row[0]) if row else 0
    if not records:
        return Cost(0)
    counted = f"count(*) FILTER (WHERE {predicate})"
    planned = await _explained(cx, b"", _asked(counted, vocabulary, PLANNED_RECORDS))
    per_record = float(planned["Plan"]["Total Cost"]) / records
    if per_record > PLANNED_MOST:
        said = f"{per_record:,.0f}"
        raise _dear(
            f"估算每笔成本{said},上限{PLANNED_MOST:,.0f}(规划器单位)",
            f"the planner expects {said} units per record, {PLANNED_MOST:,.0f} at most",
        )
    tried = min(records, TRIED_RECORDS)
    query = _asked(counted, vocabulary, TRIED_RECORDS)
    # To find the newest records takes long in a database without statistics: that is not the rule's.
    finding = await _timed(cx, _asked("count(*)", vocabulary, TRIED_RECORDS))
    milliseconds = max(0.0, await _timed(cx, query) - finding)
    if _too_dear(milliseconds, tried):
        # What is dear once may only have been cold, or others were busy.
        milliseconds = min(milliseconds, max(0.0, await _timed(cx, query) - finding))
    microseconds = milliseconds * 1000 / tried
    if _too_dear(milliseconds, tried):
        raise _dear(
            f"实测每笔{microseconds:,.0f}微秒({tried}笔平均),上限{MICROSECONDS_MOST:,.0f}微秒",
            f"measured {microseconds:,.0f} µs per record (mean of {tried}), {MICROSECONDS_MOST:,.0f} at most",
        )
    return Cost(tried, per_record, microseconds)


async def _timed(cx: AsyncConnection, query: bytes) -> float:
    """Milliseconds that PostgreSQL itself takes for it."""
    return float((await _explained(cx, b"ANALYZE, TIMING OFF, ", query))["Execution Time"])


def _too_dear(milliseconds: float, records: int) -> bool:
    return milliseconds > max(FREE_MILLISECONDS, MICROSECONDS_MOST * records / 1000)


def _asked(what: str, vocabulary: Vocabulary, most: int) -> bytes:
    # Made of a compiled predicate and a declared table: no word of the rule's author comes in by itself.
    newest = f"SELECT * FROM {vocabulary.relation} ORDER BY id DESC LIMIT {most}"  # noqa: S608
    return f"SELECT {what} FROM ({newest}) AS p".encode()  # noqa: S608


async def _explained(cx: AsyncConnection, how: bytes, query: bytes) -> dict[str, Any]:
    row = await (await cx.execute(b"EXPLAIN (" + how + b"FORMAT JSON) " + query)).fetchone()
    plans = row[0] if row else "[]"
    found: list[dict[str, Any]] = json.loads(plans) if isinstance(plans, str) else plans
    return found[0]


def _dear(zh: str, en: str) -> RefusedError:
    return RefusedError(
        422,
        f"规则太慢,会拖慢每一笔支付:{zh}。请缩小时间窗口,在窗口中注明同一收款账号 same(payee_account, …),"
        "或把便宜的条件写在前面。",
        f"The rule is too slow and would slow every payment down: {en}. Narrow its window, name "
        "same(payee_account, …) in it, or put the cheap conditions first.",
    )
