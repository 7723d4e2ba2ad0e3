"""Catches up with payments that posting could not judge in time: the queue `monitor.unjudged`."""

import logging

from psycopg import AsyncConnection

from jincai.monitoring import rulesets
from jincai.monitoring.sweeps import judge, walk
from jincai.monitoring.sweeps.judge import Ground
from jincai.monitoring.sweeps.sweep import Vocabularies

log = logging.getLogger(__name__)

# Beyond these the rest of a day's backlog is as well found by the nightly sweep.
IDS_MOST = 20_000

_CLAIM = """
SELECT id, subject, ids
  FROM monitor.unjudged
 WHERE swept_at IS NULL
 ORDER BY id
 LIMIT 1
   FOR UPDATE SKIP LOCKED
"""
_SWEPT = "UPDATE monitor.unjudged SET swept_at = clock_timestamp() WHERE id = %s"


async def step(cx: AsyncConnection, known: Vocabularies) -> bool:
    """Judge the oldest payments that wait, by the rules in force now; whether there were any.

    After-stage rules are left to the sweep of the night, when what they look at is complete.
    """
    row = await (await cx.execute(_CLAIM)).fetchone()
    if row is None:
        return False
    number, subject, ids = row
    if vocabulary := known.get(subject):
        await judge.prepare(cx)
        ruleset = await rulesets.in_force(cx, vocabulary)
        rules = [one for one in ruleset.rules if one.rule.stage != "after"]
        for first in range(0, len(ids), IDS_MOST):
            where, arguments = walk.of_these(vocabulary, ids[first : first + IDS_MOST])
            ground = Ground(vocabulary, ruleset.edition, where, arguments)
            done = await judge.judge(cx, ground, rules)
            for name, why in done.failed.items():
                log.error("rule %s could not judge payments that waited (%s): %s", name, number, why)
    await cx.execute(_SWEPT, (number,))
    return True
