"""`jincai replay --seed-year`: posts the year through `post`, like everybody, and shows that no fen is lost.

Run again it posts nothing again; killed in the middle, the next run goes on: each order has its key for ever.
"""

import asyncio
import gc
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.pool import AsyncResult
from multiprocessing.queues import SimpleQueue
from typing import NamedTuple, cast

import psycopg
from jincai.auth import sessions
from psycopg import AsyncConnection

from jincai_payment.order import Decision
from jincai_payment.post import post
from jincai_payment.year import registers
from jincai_payment.year.generate import Made, SeedYear
from jincai_payment.year.quotas import DIVISIONS, Quota
from jincai_payment.year.reconcile import Line, reconcile

BATCH = 8_000
SESSION_SECONDS = 6 * 3600.0
Progress = Callable[[int], None]

_INDICATORS = """
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, project_code, summary, amount)
SELECT *, '种子年度', 0
  FROM unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], array_fill('1'::text, ARRAY[%s]),
              %s::text[], %s::text[], %s::text[], %s::text[])
    ON CONFLICT (fiscal_year, division, indicator_no) DO NOTHING
"""
_QUOTAS = """
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code,
                           fund_type_code, exp_func_code, dep_exp_eco_code, project_code)
SELECT i.fiscal_year, i.division, i.agency_code, i.id, q.pay_type, i.bgt_type_code, i.fund_type_code,
       i.exp_func_code, i.dep_exp_eco_code, i.project_code
  FROM unnest(%s::smallint[], %s::text[], %s::text[], %s::text[])
       AS q (fiscal_year, division, indicator_no, pay_type)
  JOIN budget.indicator AS i USING (fiscal_year, division, indicator_no)
    ON CONFLICT (indicator_id, pay_type) DO NOTHING
"""
# Just as much as orders will ask of each; found so already, nothing is written.
_RELEASE = """
WITH released AS (
    UPDATE payment.quota AS q SET granted = w.granted
      FROM unnest(%s::bigint[], %s::bigint[]) AS w (id, granted)
     WHERE q.id = w.id AND q.granted <> w.granted
    RETURNING q.indicator_id, q.granted
)
UPDATE budget.indicator AS i SET amount = r.granted, planned = r.granted
  FROM released AS r
 WHERE i.id = r.indicator_id
"""
_IDS = """
SELECT i.indicator_no, q.id
  FROM budget.indicator AS i
  JOIN payment.quota AS q ON q.indicator_id = i.id
 WHERE i.division = %s AND i.indicator_no LIKE %s
"""


class Counts(NamedTuple):
    """Orders posted, decided already, held by a rule, forbidden by a rule, and refused for another reason."""

    posted: int = 0
    again: int = 0
    held: int = 0
    forbidden: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did, and the reconciliation.

    Attributes:
        counts: what became of the orders.
        seconds: from the first moment to the last, with making the orders and reconciling.
        posting_seconds: those in `post` and its commits: what the workers took, added up, by their number; a
            worker's waiting for the other at the end is not in it.
        lines: the reconciliation.
    """

    counts: Counts
    seconds: float
    posting_seconds: float
    lines: Sequence[Line]

    @property
    def posted(self) -> int:
        """Payments that it posted."""
        return self.counts.posted


def run(url: str, owner_url: str, year: SeedYear, progress: Progress, workers: int | None = None) -> Replayed:
    """Posts ``year`` to the database at ``url``, divisions side by side in ``workers`` processes.

    ``owner_url`` opens the session; ``progress`` is told how many orders are done.
    """
    begun = time.monotonic()
    with psycopg.connect(owner_url) as cx:
        token = sessions.open_for_process(cx, "jincai replay", ("payment.post",), SESSION_SECONDS)
    year.amounts  # noqa: B018 - made once, before the workers are forked
    # Larger divisions first, so that none is left alone at the end.
    ordered = sorted(DIVISIONS, key=lambda one: -year.counts[one])
    context = multiprocessing.get_context("fork")
    told: SimpleQueue[_Told] = context.SimpleQueue()
    workers = workers or os.cpu_count() or 1
    with context.Pool(workers, _prepare, (url, token, year, told)) as pool:
        results = pool.map_async(_division, ordered, chunksize=1)
        totals, posting_seconds = _follow(results, told, progress)
    with psycopg.connect(url) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        lines = reconcile(cx)
    return Replayed(totals, time.monotonic() - begun, posting_seconds / workers, lines)


# Of a batch: what became of its orders, and how long it took.
_Told = tuple[Counts, float]
_Work = tuple[str, str, SeedYear, "SimpleQueue[_Told]"]
_work: _Work


def _prepare(*given: object) -> None:
    global _work  # noqa: PLW0603 - how a pool's worker keeps what it was given
    _work = cast("_Work", given)


def _follow(results: "AsyncResult[list[None]]", told: "SimpleQueue[_Told]", progress: Progress) -> _Told:
    """Everything added up until all divisions are done; raises what a worker raised."""
    totals, seconds = Counts(), 0.0
    while not (results.ready() and told.empty()):
        if told.empty():
            time.sleep(0.05)
            continue
        counts, taken = told.get()
        totals, seconds = Counts(*map(sum, zip(totals, counts, strict=True))), seconds + taken
        progress(sum(totals))
    results.get()
    return totals, seconds


def _division(division: str) -> None:
    asyncio.run(_post_division(division))


async def _post_division(division: str) -> None:
    url, token, year, told = _work
    # Nothing here makes reference cycles; looking for them among a quarter of a million orders takes long.
    gc.disable()
    async with await AsyncConnection.connect(url, autocommit=True, application_name="jincai replay") as cx:
        await cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        quotas = year.quotas(division)
        ids = await _open_quotas(cx, year, quotas)
        async with cx.transaction():
            await registers.load(cx, division, year.registers(division))
        made = list(year.orders(division, ids))
        await _release(cx, made, {ids[one.number]: one.granted for one in quotas if one.granted is not None})
        for start in range(0, len(made), BATCH):
            batch = [one.order for one in made[start : start + BATCH]]
            begun = time.monotonic()
            async with cx.transaction():
                decisions = await post(cx, batch)
            told.put((_counted(decisions), time.monotonic() - begun))


def _counted(decisions: Sequence[Decision]) -> Counts:
    again = sum(one.again for one in decisions)
    news = [one for one in decisions if not one.again]
    held = sum(one.outcome == "held" for one in news)
    # R14 too is a rule that forbids: then the reason is the quota.
    forbidden = sum(one.outcome == "refused" and bool(one.rules) for one in news)
    refused = sum(one.outcome == "refused" for one in news) - forbidden
    return Counts(len(news) - held - forbidden - refused, again, held, forbidden, refused)


async def _open_quotas(cx: AsyncConnection, year: SeedYear, quotas: Sequence[Quota]) -> dict[int, int]:
    """Indicators and quotas of a division, of nothing yet; number in the year → id."""
    division = quotas[0].division
    numbers = [_indicator_no(year, one.number) for one in quotas]
    years, divisions = [one.fiscal_year for one in quotas], [division] * len(quotas)
    indicators = (
        years,
        divisions,
        numbers,
        [one.agency_code for one in quotas],
        len(quotas),
        [one.fund_type_code for one in quotas],
        [one.exp_func_code for one in quotas],
        [one.dep_exp_eco_code for one in quotas],
        [one.project_code for one in quotas],
    )
    async with cx.transaction():
        await cx.execute(_INDICATORS, indicators)
        await cx.execute(_QUOTAS, (years, divisions, numbers, [one.pay_type for one in quotas]))
    prefix = _indicator_no(year, 0).removesuffix("00000")
    rows = await (await cx.execute(_IDS, (division, f"{prefix}%"))).fetchall()
    return {int(number.removeprefix(prefix)): quota for number, quota in rows}


async def _release(cx: AsyncConnection, made: Sequence[Made], known: Mapping[int, int]) -> None:
    """Grants what is known, and else as much as is asked for; held orders too may be paid one day."""
    asked: dict[int, int] = defaultdict(int)
    for one in made:
        asked[one.order.quota_id] += one.order.amount
    granted = {**asked, **known}
    await cx.execute(_RELEASE, (list(granted), list(granted.values())))


def _indicator_no(year: SeedYear, number: int) -> str:
    return f"seed{year.seed}-{number:05}"
