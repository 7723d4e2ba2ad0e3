"""批复: plans become quota, in one transaction with what their indicators release.

Locks are taken in one order, plans by id, indicators by id, quotas by id: no two can wait for each other.
"""

from collections.abc import Sequence
from itertools import groupby

import psycopg
from jincai.auth.principal import Principal
from psycopg import AsyncConnection

from jincai_payment import plans
from jincai_payment.desk import DeskError
from jincai_payment.plan import Plan

_NAMES = "SELECT id, indicator_no FROM budget.indicator WHERE id = ANY (%s)"
# Whoever raises quotas holds their indicators' locks: no other can add one of them meanwhile.
_LOCK_QUOTAS = """
SELECT q.id
  FROM payment.quota AS q
 WHERE (q.indicator_id, q.pay_type)
       IN (SELECT p.indicator_id, p.pay_type FROM payment.plan AS p WHERE p.id = ANY (%s))
 ORDER BY q.id
   FOR NO KEY UPDATE
"""
_GRANT = """
WITH granted AS (
    INSERT INTO payment.quota AS q (
           fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code, fund_type_code,
           exp_func_code, dep_exp_eco_code, project_code, granted, control_level)
    SELECT i.fiscal_year, i.division, i.agency_code, i.id, p.pay_type, i.bgt_type_code, i.fund_type_code,
           i.exp_func_code, i.dep_exp_eco_code, i.project_code, sum(p.amount)::bigint, i.control_level
      FROM payment.plan AS p
      JOIN budget.indicator AS i ON i.id = p.indicator_id
     WHERE p.id = ANY (%(ids)s)
     GROUP BY i.id, p.pay_type
        ON CONFLICT (indicator_id, pay_type)
        DO UPDATE SET granted = q.granted + excluded.granted,
                      control_level = excluded.control_level
    RETURNING q.id, q.indicator_id, q.pay_type, q.granted
)
INSERT INTO hub.outbox (kind, division, payload)
SELECT 'quota', p.division,
       jsonb_build_object('quota_id', g.id, 'plan_id', p.id, 'fiscal_year', p.fiscal_year,
                          'agency_code', p.agency_code, 'indicator_id', p.indicator_id,
                          'pay_type', p.pay_type, 'month', p.month, 'amount', p.amount, 'granted', g.granted)
  FROM payment.plan AS p
  JOIN granted AS g ON (g.indicator_id, g.pay_type) = (p.indicator_id, p.pay_type)
 WHERE p.id = ANY (%(ids)s)
 ORDER BY p.id
"""


async def approve(cx: AsyncConnection, principal: Principal, ids: Sequence[int]) -> list[Plan]:
    """Approve all of ``ids`` or none: indicators release what they ask for, quotas are made or raised.

    Raises:
        DeskError: names what stands against it.
    """
    found = await plans.fetch(cx, plans.LOCK, ids)
    due = [one for one in found if plans.is_due(one, principal, "approved")]
    rows = await (await cx.execute(_NAMES, ([one.indicator_id for one in due],))).fetchall()
    names: dict[int, str] = dict(rows)
    for number, ones in groupby(sorted(due, key=_indicator), key=_indicator):
        await _release(cx, number, names.get(number, ""), sum(one.amount for one in ones))
    numbers = [one.id for one in due]
    await cx.execute(_LOCK_QUOTAS, (numbers,))
    try:
        await cx.execute(_GRANT, {"ids": numbers})
    except psycopg.errors.CheckViolation as error:
        raise DeskError(
            409,
            "指标现为严格控制,而其额度的已用数超过批复后的额度。请先核对该额度。",
            "The indicator is strict now, and its quota would be used beyond what is granted; look into it.",
        ) from error
    await cx.execute(plans.SETTLE, ("approved", principal.actor, "", numbers))
    return await plans.fetch(cx, plans.READ, ids)


def _indicator(plan: Plan) -> int:
    return plan.indicator_id


async def _release(cx: AsyncConnection, indicator: int, name: str, amount: int) -> None:
    try:
        await cx.execute("SELECT FROM budget.release(%s, %s)", (indicator, amount))
    except psycopg.Error as error:
        if error.sqlstate == "JC005":
            raise plans.too_much(name, amount) from error
        if error.sqlstate == "JC006":
            raise plans.no_indicator(indicator) from error
        raise
