"""`post`: decides a batch of orders and books it, whole or not at all. One order is a batch of one.

The number of SQL statements is the same for one order and for a hundred thousand. Locks are taken in one
stated order, so that no two batches can wait for each other: paying units by id, quotas by id, then (in
``ledger.book``) periods and balances by their keys. (Before them the shared one of `jincai_payment.freeze`,
which nobody waits for.)

Every payment passes here, whichever door it came in by, and so does it pass the rules before payment.
"""

from collections.abc import Sequence

from psycopg import AsyncConnection

from jincai_payment import freeze
from jincai_payment.order import Decision, Order
from jincai_payment.posting import deciding, judged, stage, writing
from jincai_payment.posting.ground import Batch, Released, lock

BATCH_MOST = 100_000


async def post(
    cx: AsyncConnection, orders: Sequence[Order], *, released: Released | None = None
) -> list[Decision]:
    """Decide ``orders`` in their order and book those that stand; one decision each, in their order.

    ``cx`` is in a transaction whose session may see every division concerned; whose order it is, is checked
    against ``Order.token``. After an error the caller rolls back, and nothing happened.

    Args:
        cx: the connection.
        orders: in the order they are to be decided in.
        released: held orders that another person released (`jincai_payment.held`), with the rules that this
            answers for.

    Raises:
        psycopg.errors.Error: ``JC003``, a period is closed; ``JC004``, an event has no posting rule.
        ValueError: more than `BATCH_MOST` orders.
        FrozenError: the site is frozen, and one of them was not decided before.
        UnusableRulesError: a rule in force cannot be compiled; nothing is paid without it.
    """
    if len(orders) > BATCH_MOST:
        raise ValueError(f"{len(orders)} orders at once; {BATCH_MOST} at most")
    if not orders:
        return []
    batch = Batch(orders, [order.digest() for order in orders], released or {})
    ground = await lock(cx, batch)
    if ground.frozen is not None and not deciding.is_told_before(ground, batch):
        raise await freeze.error_of(cx, ground.frozen)
    rules = await judged.in_force(cx)
    asked = deciding.candidates(ground, batch)
    verdicts: deciding.Verdicts = {}
    if asked:
        await stage.stage(cx, ground, batch, asked)
        verdicts = await judged.stopped(cx, rules, batch.released_at(asked))
    decisions, standing = deciding.decide(ground, batch, verdicts)
    if standing:
        with freeze.told():
            payments = await writing.book(cx, batch, decisions, standing, rules.edition)
        await judged.tell(cx, rules, payments)
    await writing.note_stopped(cx, batch, decisions, rules)
    await writing.note_refusals(cx, batch, decisions)
    return decisions
