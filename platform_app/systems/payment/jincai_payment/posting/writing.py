"""What is written of a batch: payments with both sides of the ledger, orders that were stopped, refusals."""

import json
from collections.abc import Sequence

from jincai import arrays
from jincai.monitoring.rulesets import Judged
from psycopg import AsyncConnection

from jincai_payment.order import Decision, Order, Reason
from jincai_payment.posting.deciding import repeated
from jincai_payment.posting.ground import Batch, Key
from jincai_payment.posting.judged import Rules

# Both arrays go by place in the batch; a posting number of 0: the order does not stand.
_WRITE = """
WITH numbered AS MATERIALIZED (
    SELECT nextval('payment.payment_id') AS id, nextval('ledger.voucher_id') AS voucher_id, s.*,
           (%(posting_nos)s::bigint[])[s.n + 1] AS posting_no, (%(warned)s::boolean[])[s.n + 1] AS warned,
           q.pay_type, q.bgt_type_code, q.fund_type_code, q.exp_func_code, q.dep_exp_eco_code, q.project_code
      FROM (SELECT * FROM pg_temp.posting WHERE (%(posting_nos)s::bigint[])[n + 1] > 0 ORDER BY n) AS s
      JOIN payment.quota AS q ON q.id = s.quota_id
     ORDER BY s.n
), written AS (
    INSERT INTO payment.payment (
           id, fiscal_year, division, agency_code, unit_id, posting_no, quota_id, kind, undoes, pay_type,
           set_mode_code, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code,
           payee_name, payee_account, payee_bank, payee_kind_code, purpose, amount, pay_date,
           idempotency_key, digest, voucher_id, warned, rules, posted_by)
    SELECT id, fiscal_year, division, agency_code, unit_id, posting_no, quota_id, kind, undoes, pay_type,
           set_mode_code, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code,
           payee_name, payee_account, payee_bank, payee_kind_code, purpose, amount, pay_date,
           key, digest, voucher_id, warned, %(edition)s, posted_by
      FROM numbered
), told AS (
    INSERT INTO hub.outbox (kind, division, ref)
    SELECT 'payment', division, id FROM numbered
), spent AS (
    UPDATE payment.quota AS q
       SET used = q.used + w.amount
      FROM (SELECT quota_id, sum(amount)::bigint AS amount FROM numbered GROUP BY 1) AS w
     WHERE q.id = w.quota_id
), counted AS (
    UPDATE payment.unit AS u
       SET last_posting_no = w.last_posting_no
      FROM (SELECT unit_id, max(posting_no) AS last_posting_no FROM numbered GROUP BY 1) AS w
     WHERE u.id = w.unit_id
), booked AS (
    SELECT ledger.book(array_agg(ROW(
               voucher_id, fiscal_year, division, pay_date, 'payment_' || pay_type, fund_type_code,
               exp_func_code, agency_code, amount, purpose, 'payment', id, posted_by, 'jincai'
           )::ledger.booking ORDER BY n)) AS done
      FROM numbered
)
SELECT n.n, n.id FROM numbered AS n, booked
"""
# What rules stop, with an alert for each rule. What was released and is stopped by a further one is there.
_STOP = """
WITH stopped AS (
    INSERT INTO payment.held AS h (
           fiscal_year, division, agency_code, quota_id, payee_name, payee_account, payee_bank,
           payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest, state, edition,
           rules, asked_by)
    SELECT fiscal_year, division, agency_code, quota_id, payee_name, payee_account, payee_bank,
           payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest, state,
           %(edition)s, string_to_array(rules, ' '), asked_by
      FROM jsonb_to_recordset(%(orders)s::jsonb) AS o (
           fiscal_year smallint, division text, agency_code text, quota_id bigint, payee_name text,
           payee_account text, payee_bank text, payee_kind_code text, set_mode_code text, purpose text,
           amount bigint, pay_date date, idempotency_key text, digest bigint, state text, rules text,
           asked_by text)
        ON CONFLICT (division, idempotency_key) DO UPDATE
       SET state = EXCLUDED.state, edition = EXCLUDED.edition,
           rules = h.rules || ARRAY(SELECT r FROM unnest(EXCLUDED.rules) AS r WHERE r <> ALL (h.rules))
    RETURNING h.id, h.fiscal_year, h.division, h.agency_code, h.pay_date, h.amount, h.rules
)
INSERT INTO monitor.alert (fiscal_year, division, agency_code, subject, subject_id, as_of, amount, rule,
                           version, edition, stage, level, disposal, found_by)
SELECT s.fiscal_year, s.division, s.agency_code, 'held', s.id, s.pay_date, s.amount, r.rule, r.version,
       %(edition)s, 'before', r.level, r.disposal, 'posting'
  FROM stopped AS s
  JOIN unnest(%(rules)s::text[], %(versions)s::integer[], %(levels)s::text[], %(disposals)s::text[])
       AS r (rule, version, level, disposal) ON r.rule = ANY (s.rules)
    ON CONFLICT DO NOTHING
"""
_REFUSE = """
INSERT INTO payment.refusal (division, agency_code, idempotency_key, digest, reason, asked, asked_by)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::jsonb[], %s::text[])
"""
_KEPT: frozenset[Reason] = frozenset({"over_quota", "nothing_to_undo", "other_payee", "over_undone"})


async def book(
    cx: AsyncConnection, batch: Batch, decisions: list[Decision], standing: Sequence[int], edition: int
) -> list[int]:
    """Write what stands, and put the payments' ids into ``decisions``; those ids."""
    posting_nos, warned = [0] * len(batch.orders), [False] * len(batch.orders)
    for n in standing:
        posting_nos[n], warned[n] = decisions[n].posting_no or 0, decisions[n].warned
    arguments = {
        "posting_nos": arrays.integers(posting_nos),
        "warned": arrays.booleans(warned),
        "edition": edition,
    }
    ids: dict[int, int] = dict(await (await cx.execute(_WRITE, arguments)).fetchall())
    by_key: dict[Key, Decision] = {}
    for n in standing:
        made = decisions[n]
        decisions[n] = Decision("posted", "", ids[n], made.posting_no, False, made.warned)
        by_key[batch.orders[n].division, batch.orders[n].idempotency_key] = decisions[n]
    # A repetition within the batch answers like the first.
    for n, decision in enumerate(decisions):
        if decision.outcome == "posted" and decision.payment_id is None:
            order = batch.orders[n]
            decisions[n] = repeated(by_key[order.division, order.idempotency_key], same=True)
    return list(ids.values())


async def note_stopped(cx: AsyncConnection, batch: Batch, decisions: list[Decision], rules: Rules) -> None:
    """Keep what rules stopped, with alerts; a quota's refusals too, if there is a rule for them (R14)."""
    by_id: dict[str, Judged] = {one.rule.id: one for one in rules.stopping}
    if rules.over_quota:
        by_id[rules.over_quota.rule.id] = rules.over_quota
        for n, decision in enumerate(decisions):
            if decision.reason == "over_quota" and not decision.again:
                decisions[n] = decision._replace(rules=(rules.over_quota.rule.id,))
    stopped = [
        _stopped(order, digest, decision)
        for order, digest, decision in zip(batch.orders, batch.digests, decisions, strict=True)
        if decision.rules
        and not decision.again
        # A release that the quota refuses leaves the order held.
        and not (
            decision.reason == "over_quota" and (order.division, order.idempotency_key) in batch.released
        )
    ]
    if not stopped:
        return
    arguments = {
        "edition": rules.edition,
        "orders": json.dumps(stopped, ensure_ascii=False),
        "rules": list(by_id),
        "versions": [one.version for one in by_id.values()],
        "levels": [one.rule.level for one in by_id.values()],
        "disposals": [one.rule.disposal for one in by_id.values()],
    }
    await cx.execute(_STOP, arguments)


def _stopped(order: Order, digest: int, decision: Decision) -> dict[str, object]:
    fields = (
        *("fiscal_year", "division", "agency_code", "quota_id", "payee_name", "payee_account", "payee_bank"),
        *("payee_kind_code", "set_mode_code", "purpose", "amount", "idempotency_key"),
    )
    return {field: getattr(order, field) for field in fields} | {
        "pay_date": order.pay_date.isoformat(),
        "digest": digest,
        "state": "held" if decision.outcome == "held" else "forbidden",
        "rules": " ".join(decision.rules),
        "asked_by": order.posted_by,
    }


async def note_refusals(cx: AsyncConnection, batch: Batch, decisions: Sequence[Decision]) -> None:
    """Keep refusals, so that a key is answered the same again; but not under what may be somebody else's."""
    rows = [
        (o.division, o.agency_code, o.idempotency_key, digest, d.reason, _asked(o), o.posted_by)
        for o, digest, d in zip(batch.orders, batch.digests, decisions, strict=True)
        if d.outcome == "refused"
        and not d.again
        and d.reason in _KEPT
        and (o.division, o.idempotency_key) not in batch.released
    ]
    if rows:
        await cx.execute(_REFUSE, [list(column) for column in zip(*rows, strict=True)])


def _asked(order: Order) -> str:
    """What was asked, as JSON, for whoever looks into a refusal."""
    fields = ("quota_id", "kind", "undoes", "amount", "payee_name", "payee_account", "purpose")
    said = {field: getattr(order, field) for field in fields}
    return json.dumps({**said, "pay_date": order.pay_date.isoformat()}, ensure_ascii=False)
