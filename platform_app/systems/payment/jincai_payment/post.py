"""`post`: decides a batch of orders and books it, whole or not at all. One order is a batch of one.

The number of SQL statements is the same for one order and for a hundred thousand. Locks are taken in one
stated order, so that no two batches can wait for each other: paying units by id, quotas by id, then (in
``ledger.book``) periods and balances by their keys.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jincai.standards.codes import unknown_of_years
from psycopg import AsyncConnection

from jincai_payment.order import Decision, Order, Reason

BATCH_MOST = 100_000

_BEYOND = "SELECT place FROM auth.beyond(%s, %s, %s, 'payment.post')"
_MAKE_UNITS = """
INSERT INTO payment.unit (division, agency_code)
SELECT DISTINCT q.division, q.agency_code
  FROM payment.quota AS q
 WHERE q.id = ANY (%s)
   AND NOT EXISTS (SELECT FROM payment.unit AS u
                    WHERE (u.division, u.agency_code) = (q.division, q.agency_code))
 ORDER BY 1, 2
    ON CONFLICT DO NOTHING
"""
_LOCK_UNITS = """
SELECT u.id, u.division, u.agency_code, u.last_posting_no
  FROM payment.unit AS u
 WHERE (u.division, u.agency_code)
       IN (SELECT q.division, q.agency_code FROM payment.quota AS q WHERE q.id = ANY (%s))
 ORDER BY u.id
   FOR NO KEY UPDATE
"""
_LOCK_QUOTAS = """
SELECT id, fiscal_year, division, agency_code, granted - used, control_level, used
  FROM payment.quota
 WHERE id = ANY (%s)
 ORDER BY id
   FOR NO KEY UPDATE
"""
# Under the units' locks: what another batch decided under one of these keys is visible by now.
_DECIDED = "SELECT * FROM payment.decided(%s, %s)"
_UNDOABLE = """
SELECT p.id, p.quota_id,
       p.amount + coalesce((SELECT sum(u.amount) FROM payment.payment AS u WHERE u.undoes = p.id), 0)::bigint
  FROM payment.payment AS p
 WHERE p.id = ANY (%s) AND p.kind = 'payment'
"""
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS posting (
    n integer, key text, fiscal_year smallint, division text, agency_code text, unit_id integer,
    posting_no bigint, quota_id bigint, kind text, undoes bigint, amount bigint, pay_date date,
    payee_name text, payee_account text, payee_bank text, payee_kind_code text, set_mode_code text,
    purpose text, digest bigint, warned boolean, posted_by text
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY pg_temp.posting FROM STDIN"
_WRITE = """
WITH numbered AS MATERIALIZED (
    SELECT nextval('payment.payment_id') AS id, nextval('ledger.voucher_id') AS voucher_id, s.*,
           q.pay_type, q.bgt_type_code, q.fund_type_code, q.exp_func_code, q.dep_exp_eco_code, q.project_code
      FROM (SELECT * FROM pg_temp.posting ORDER BY n) AS s
      JOIN payment.quota AS q ON q.id = s.quota_id
     ORDER BY s.n
), written AS (
    INSERT INTO payment.payment (
           id, fiscal_year, division, agency_code, unit_id, posting_no, quota_id, kind, undoes, pay_type,
           set_mode_code, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code,
           payee_name, payee_account, payee_bank, payee_kind_code, purpose, amount, pay_date,
           idempotency_key, digest, voucher_id, warned, posted_by)
    SELECT id, fiscal_year, division, agency_code, unit_id, posting_no, quota_id, kind, undoes, pay_type,
           set_mode_code, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code,
           payee_name, payee_account, payee_bank, payee_kind_code, purpose, amount, pay_date,
           key, digest, voucher_id, warned, posted_by
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
_REFUSE = """
INSERT INTO payment.refusal (division, agency_code, idempotency_key, digest, reason, asked, asked_by)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::jsonb[], %s::text[])
"""


@dataclass(slots=True)
class _Unit:
    id: int
    last_posting_no: int


@dataclass(slots=True)
class _Quota:
    fiscal_year: int
    division: str
    agency_code: str
    available: int
    control_level: int
    used: int


@dataclass(frozen=True, slots=True)
class _Batch:
    orders: Sequence[Order]
    digests: Sequence[int]


@dataclass(slots=True)
class _Ground:
    """Everything decisions stand on, locked."""

    units: dict[tuple[str, str], _Unit]
    quotas: dict[int, _Quota]
    decided: dict[tuple[str, str], tuple[Decision, int]]
    undoable: dict[int, tuple[int, int]]
    beyond: set[int]
    unknown: set[tuple[int, str, str]]


async def post(cx: AsyncConnection, orders: Sequence[Order]) -> list[Decision]:
    """Decide ``orders`` in their order and book those that stand; one decision each, in their order.

    ``cx`` is in a transaction whose session may see every division concerned; whose order it is, is checked
    against ``Order.token``. After an error the caller rolls back, and nothing happened.

    Raises:
        psycopg.errors.Error: ``JC003``, a period is closed; ``JC004``, an event has no posting rule.
        ValueError: more than `BATCH_MOST` orders.
    """
    if len(orders) > BATCH_MOST:
        raise ValueError(f"{len(orders)} orders at once; {BATCH_MOST} at most")
    if not orders:
        return []
    batch = _Batch(orders, [order.digest() for order in orders])
    ground = await _lock(cx, orders)
    decisions, standing = _decide(ground, batch)
    if standing:
        await _book(cx, ground, batch, decisions, standing)
    await _note_refusals(cx, batch, decisions)
    return decisions


async def _lock(cx: AsyncConnection, orders: Sequence[Order]) -> _Ground:
    quotas = sorted({order.quota_id for order in orders})
    await cx.execute(_MAKE_UNITS, (quotas,))
    units = await (await cx.execute(_LOCK_UNITS, (quotas,))).fetchall()
    locked = await (await cx.execute(_LOCK_QUOTAS, (quotas,))).fetchall()
    divisions = [order.division for order in orders]
    keys = [order.idempotency_key for order in orders]
    decided = await (await cx.execute(_DECIDED, (divisions, keys))).fetchall()
    undone = sorted({order.undoes for order in orders if order.undoes is not None})
    undoable = await (await cx.execute(_UNDOABLE, (undone,))).fetchall()
    return _Ground(
        units={(division, agency): _Unit(number, last) for number, division, agency, last in units},
        quotas={row[0]: _Quota(*row[1:]) for row in locked},
        decided={(row[0], row[1]): (_as_before(row[2], row[3], row[4], row[6]), row[5]) for row in decided},
        undoable={number: (quota, left) for number, quota, left in undoable},
        beyond=await _beyond(cx, orders),
        unknown=await _unknown(cx, orders),
    )


async def _beyond(cx: AsyncConnection, orders: Sequence[Order]) -> set[int]:
    """Positions of the orders that go beyond their asker's scope."""
    asked = sorted({(o.token, o.division, o.agency_code) for o in orders if o.token is not None})
    if not asked:
        return set()
    columns = [list(column) for column in zip(*asked, strict=True)]
    places = {row[0] for row in await (await cx.execute(_BEYOND, columns)).fetchall()}
    wrong = {one for place, one in enumerate(asked, 1) if place in places}
    return {n for n, o in enumerate(orders) if (o.token, o.division, o.agency_code) in wrong}


async def _unknown(cx: AsyncConnection, orders: Sequence[Order]) -> set[tuple[int, str, str]]:
    """Codes that payments bring themselves and their years do not have; the others are their quota's.

    What undoes a payment is not asked: it goes back as it came, whatever a later edition dropped.
    """
    paying = [order for order in orders if order.kind == "payment"]
    brought = {(o.fiscal_year, "payee_kind", o.payee_kind_code) for o in paying}
    brought |= {(o.fiscal_year, "set_mode", o.set_mode_code) for o in paying}
    return set(await unknown_of_years(cx, brought))


def _as_before(
    payment_id: int | None, posting_no: int | None, warned: bool | None, reason: Reason | None
) -> Decision:
    if payment_id is None:
        return Decision("refused", reason or "", again=True)
    return Decision("posted", payment_id=payment_id, posting_no=posting_no, again=True, warned=bool(warned))


def _decide(ground: _Ground, batch: _Batch) -> tuple[list[Decision], list[int]]:
    """One decision each, and the positions of what is to be booked; quotas and numbers move on."""
    digests = batch.digests
    decisions: list[Decision] = []
    standing: list[int] = []
    first: dict[tuple[str, str], int] = {}
    for n, order in enumerate(batch.orders):
        key = (order.division, order.idempotency_key)
        if before := ground.decided.get(key):
            decision, digest = before
            decisions.append(decision if digest == digests[n] else Decision("refused", "key_used"))
            continue
        if (same := first.get(key)) is not None:
            decisions.append(_repeat(decisions[same], digests[same] == digests[n]))
            continue
        reason = "not_yours" if n in ground.beyond else _objection(ground, order)
        if reason in {"not_yours", "no_quota", "unknown_code"}:
            # Nothing is kept under a key that may be somebody else's.
            decisions.append(Decision("refused", reason))
            continue
        first[key] = n
        if reason:
            decisions.append(Decision("refused", reason))
            continue
        decisions.append(_stand(ground, order))
        standing.append(n)
    return decisions, standing


def _repeat(before: Decision, same: bool) -> Decision:
    if not same:
        return Decision("refused", "key_used")
    return Decision(before.outcome, before.reason, before.payment_id, before.posting_no, True, before.warned)


def _objection(ground: _Ground, order: Order) -> Reason:
    quota = ground.quotas.get(order.quota_id)
    if quota is None or (quota.fiscal_year, quota.division, quota.agency_code) != (
        order.fiscal_year,
        order.division,
        order.agency_code,
    ):
        return "no_quota"
    year = order.fiscal_year
    if (
        ground.unknown
        and order.kind == "payment"
        and not ground.unknown.isdisjoint(
            {(year, "payee_kind", order.payee_kind_code), (year, "set_mode", order.set_mode_code)}
        )
    ):
        return "unknown_code"
    if order.kind == "payment":
        return "over_quota" if quota.control_level == 2 and order.amount > quota.available else ""
    source, left = ground.undoable.get(order.undoes or 0, (0, 0))
    if source != order.quota_id:
        return "nothing_to_undo"
    return "over_undone" if -order.amount > left else ""


def _stand(ground: _Ground, order: Order) -> Decision:
    quota = ground.quotas[order.quota_id]
    unit = ground.units[order.division, order.agency_code]
    warned = quota.control_level == 1 and order.amount > quota.available
    quota.available -= order.amount
    if order.undoes is not None:
        source, left = ground.undoable[order.undoes]
        ground.undoable[order.undoes] = (source, left + order.amount)
    unit.last_posting_no += 1
    return Decision("posted", posting_no=unit.last_posting_no, warned=warned)


async def _book(
    cx: AsyncConnection, ground: _Ground, batch: _Batch, decisions: list[Decision], standing: Sequence[int]
) -> None:
    """Write what stands, and put the payments' ids into ``decisions``."""
    await cx.execute(_STAGE)
    async with cx.cursor() as cursor:
        async with cursor.copy(_COPY) as copy:
            for n in standing:
                await copy.write_row(_staged(ground, n, batch.orders[n], batch.digests[n], decisions[n]))
        ids: dict[int, int] = dict(await (await cursor.execute(_WRITE)).fetchall())
    by_key: dict[tuple[str, str], Decision] = {}
    for n in standing:
        made = decisions[n]
        decisions[n] = Decision("posted", "", ids[n], made.posting_no, False, made.warned)
        by_key[batch.orders[n].division, batch.orders[n].idempotency_key] = decisions[n]
    # A repetition within the batch answers like the first.
    for n, decision in enumerate(decisions):
        if decision.outcome == "posted" and decision.payment_id is None:
            order = batch.orders[n]
            decisions[n] = _repeat(by_key[order.division, order.idempotency_key], same=True)


def _staged(ground: _Ground, n: int, order: Order, digest: int, decision: Decision) -> tuple[object, ...]:
    """A row of the stage, as `_STAGE` names its columns."""
    return (
        n,
        order.idempotency_key,
        order.fiscal_year,
        order.division,
        order.agency_code,
        ground.units[order.division, order.agency_code].id,
        decision.posting_no,
        order.quota_id,
        order.kind,
        order.undoes,
        order.amount,
        order.pay_date,
        order.payee_name,
        order.payee_account,
        order.payee_bank,
        order.payee_kind_code,
        order.set_mode_code,
        order.purpose,
        digest,
        decision.warned,
        order.posted_by,
    )


_KEPT = frozenset({"over_quota", "nothing_to_undo", "over_undone"})


async def _note_refusals(cx: AsyncConnection, batch: _Batch, decisions: Sequence[Decision]) -> None:
    """Keep refusals, so that a key is answered the same again; but not under what may be somebody else's."""
    rows = [
        (o.division, o.agency_code, o.idempotency_key, digest, d.reason, _asked(o), o.posted_by)
        for o, digest, d in zip(batch.orders, batch.digests, decisions, strict=True)
        if d.outcome == "refused" and not d.again and d.reason in _KEPT
    ]
    if rows:
        await cx.execute(_REFUSE, [list(column) for column in zip(*rows, strict=True)])


def _asked(order: Order) -> str:
    """What was asked, as JSON, for whoever looks into a refusal."""
    fields = ("quota_id", "kind", "undoes", "amount", "payee_name", "payee_account", "purpose")
    said = {field: getattr(order, field) for field in fields}
    return json.dumps({**said, "pay_date": order.pay_date.isoformat()}, ensure_ascii=False)
