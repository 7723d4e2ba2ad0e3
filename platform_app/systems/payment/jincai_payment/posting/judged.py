"""What rules say of a batch: which orders they stop before payment, which payments they tell about.

A rule sees exactly its unit's payments with a smaller posting number, those of the same batch too: so it says
the same whether payments came one by one, in batches of any size, or are swept afterwards.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import psycopg
from jincai import arrays
from jincai.monitoring import judging, rulesets
from jincai.monitoring.rulesets import Judged, RuleSet
from psycopg import AsyncConnection

from jincai_payment.monitored import PAYMENTS
from jincai_payment.posting.deciding import Verdicts

log = logging.getLogger(__name__)

# How long alerts may keep a batch: a second, and a millisecond for each payment. Then payments go on without,
# are noted as unjudged and swept, and rules are not asked in this process for a while.
TELL_MILLISECONDS = 1000
REST_SECONDS = 30.0

_CANDIDATES = """(
    SELECT s.*, false AS warned, q.pay_type, q.bgt_type_code, q.fund_type_code, q.exp_func_code,
           q.dep_exp_eco_code, q.project_code
      FROM pg_temp.posting AS s
      JOIN payment.quota AS q ON q.id = s.quota_id
     WHERE s.kind = 'payment'
)"""
_THESE = " AND p.kind = 'payment' AND p.id = ANY (%s::bigint[]) ON CONFLICT DO NOTHING"
_UNJUDGED = """
INSERT INTO monitor.unjudged (edition, subject, division, ids, why)
SELECT %s, 'payment', p.division, array_agg(p.id ORDER BY p.id), %s
  FROM payment.payment AS p
 WHERE p.id = ANY (%s::bigint[]) AND p.kind = 'payment'
 GROUP BY p.division
"""
# Along indexes, and by a plan that is made once: making it takes 2 ms, using it 0.4 for 24 payments. Before
# PostgreSQL 18 a scan that cannot be avoided then looks so dear that it would be compiled, for seconds.
_PLANNED = (
    "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off"
)
_AS_BEFORE = (
    "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL plan_cache_mode TO DEFAULT; SET LOCAL jit TO DEFAULT"
)


@dataclass(slots=True, eq=False)
class Rules:
    """An edition of rules with its statements, made once.

    Attributes:
        over_quota: R14, the rule that a quota's refusal is told under.
        rest_until: on the process's clock; alerts are not asked for before, because they took too long.
    """

    ruleset: RuleSet
    stopping: tuple[Judged, ...]
    which_stop: str
    alerting: tuple[Judged, ...]
    write_alerts: str
    over_quota: Judged | None
    rest_until: float = 0.0

    @property
    def edition(self) -> int:
        """Number of the edition, which each payment records; 0 for none."""
        return self.ruleset.edition


async def in_force(cx: AsyncConnection) -> Rules:
    """The newest edition's rules: the whole batch is judged by them, whatever is published meanwhile."""
    return _made(await rulesets.in_force(cx, PAYMENTS))


@lru_cache(maxsize=8)
def _made(ruleset: RuleSet) -> Rules:
    stopping, alerting = judging.stopping(ruleset), judging.alerting(ruleset)
    return Rules(
        ruleset=ruleset,
        stopping=stopping,
        which_stop=judging.which_stop(stopping, _CANDIDATES) if stopping else "",
        alerting=alerting,
        write_alerts=judging.write_alerts(alerting, PAYMENTS, "posting") + _THESE if alerting else "",
        over_quota=next(
            (one for one in alerting if one.built_in == "quota_exceeded" and not one.shadow), None
        ),
    )


async def stopped(cx: AsyncConnection, rules: Rules, released: dict[int, frozenset[str]]) -> Verdicts:
    """What rules stop of the staged orders; ``released``: place → rules that do not count for it."""
    if not rules.stopping:
        return {}
    found: dict[int, list[Judged]] = {}
    await _simple(cx, _PLANNED)
    # Parameters, though there are none, make psycopg read the doubled per cent signs.
    rows = await (await cx.execute(rules.which_stop.encode(), ())).fetchall()
    await _simple(cx, _AS_BEFORE)
    for n, place in rows:
        one = rules.stopping[place]
        if one.rule.id not in released.get(n, frozenset()):
            found.setdefault(n, []).append(one)
    return {
        n: (tuple(one.rule.id for one in those), any(one.rule.disposal == "forbid" for one in those))
        for n, those in found.items()
    }


async def tell(cx: AsyncConnection, rules: Rules, payments: Sequence[int]) -> None:
    """Write the alerts of ``payments`` just posted, in their transaction; or note that it took too long."""
    if not rules.alerting:
        return
    ids = arrays.integers(payments)
    if time.monotonic() < rules.rest_until:
        await cx.execute(_UNJUDGED, (rules.edition, "rules rest after one took too long", ids))
        return
    milliseconds = TELL_MILLISECONDS + len(payments)
    await _simple(cx, f"SAVEPOINT judging; SET LOCAL statement_timeout = {milliseconds}; {_PLANNED}")
    try:
        await cx.execute(_for_size(rules.write_alerts, payments), (rules.edition, ids))
    except psycopg.errors.QueryCanceled:
        log.exception(
            "rules of edition %s took more than %s ms for %s payments",
            rules.edition,
            milliseconds,
            len(payments),
        )
        await _simple(cx, f"ROLLBACK TO judging; SET LOCAL statement_timeout TO DEFAULT; {_AS_BEFORE}")
        rules.rest_until = time.monotonic() + REST_SECONDS
        await cx.execute(_UNJUDGED, (rules.edition, f"took more than {milliseconds} ms", ids))
    else:
        await _simple(cx, f"RELEASE judging; SET LOCAL statement_timeout TO DEFAULT; {_AS_BEFORE}")


def _for_size(statement: str, payments: Sequence[int]) -> bytes:
    """The statement, another one for each power of ten of payments there are.

    A plan is kept, and what suited a small table may not suit a large one: it is made anew when it has grown.
    """
    return f"{statement} -- {len(str(payments[-1]))} digits".encode()


async def _simple(cx: AsyncConnection, statements: str) -> None:
    """Several statements in one go; such cannot be prepared."""
    await cx.execute(statements.encode(), prepare=False)
