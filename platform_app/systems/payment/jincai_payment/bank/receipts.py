"""Receipts taken in: a batch of them, whole or not at all, in a fixed number of statements."""

import datetime as dt
import logging
from collections.abc import Collection, Sequence

from jincai.identity import SHANGHAI
from psycopg import AsyncConnection

from jincai_payment.bank import held as holding
from jincai_payment.bank import keep
from jincai_payment.bank.decide import Undo, decide
from jincai_payment.bank.held import Ground, Payment
from jincai_payment.bank.receipt import Receipt, Reply, bank_of
from jincai_payment.order import Order
from jincai_payment.post import post

log = logging.getLogger(__name__)

RECEIPTS_MOST = 1_000
_PURPOSES = {"bank_return": "银行退回", "refund": "银行退款"}


class _UnpostableError(Exception):
    """Returns that `post` refuses."""

    def __init__(self, payments: set[int]) -> None:
        super().__init__(f"returns of {sorted(payments)} were refused")
        self.payments = payments


async def take(cx: AsyncConnection, told: Sequence[Receipt], actor: str) -> list[Reply]:
    """Take receipts in their order; one reply each. What failed or came back is undone in the books as well.

    ``cx`` is in a transaction with the session of the bank ``actor``, whose divisions bound what it reaches.
    What cannot be undone in the books is not taken, and the others are.

    Raises:
        psycopg.errors.Error: ``JC003``, a period was closed meanwhile; nothing happened.
    """
    barred: set[int] = set()
    while True:
        try:
            async with cx.transaction():
                return await _take(cx, told, actor, barred)
        except _UnpostableError as error:
            # All that are refused are known at once, so this is done twice at most but for a race.
            barred |= error.payments


async def _take(
    cx: AsyncConnection, told: Sequence[Receipt], actor: str, barred: Collection[int]
) -> list[Reply]:
    ground = await holding.lock(cx, told)
    today = dt.datetime.now(SHANGHAI).date()
    replies: list[Reply] = []
    for one in told:
        if one.payment_id in barred:
            replies.append(Reply(one.payment_id, "not_postable"))
        elif one.payment_id in ground.held:
            replies.append(decide(ground.held[one.payment_id], one, bank_of(actor), today))
        else:
            replies.append(Reply(one.payment_id, "unknown"))
    posted = await _undo(cx, ground, actor)
    await keep.settled(cx, ground, actor)
    await keep.refunds(cx, ground, posted, actor)
    await keep.discrepancies(cx, ground, actor)
    return replies


async def _undo(cx: AsyncConnection, ground: Ground, actor: str) -> dict[str, int]:
    """Post what undoes payments; key → the entry posted."""
    orders = [
        _order(ground.payments[one.payment_id], undo, actor)
        for one in ground.held.values()
        for undo in one.undone
    ]
    posted: dict[str, int] = {}
    refused: set[int] = set()
    for order, decision in zip(orders, await post(cx, orders), strict=True):
        if decision.payment_id is not None:
            posted[order.idempotency_key] = decision.payment_id
        elif order.undoes is not None:
            log.warning("%s was refused: %s", order.idempotency_key, decision.reason)
            refused.add(order.undoes)
    if refused:
        raise _UnpostableError(refused)
    return posted


def _order(payment: Payment, undo: Undo, actor: str) -> Order:
    # Without a token: the session of ``cx`` has bounded already what could be found at all.
    return Order(
        idempotency_key=undo.key,
        fiscal_year=payment.fiscal_year,
        division=payment.division,
        agency_code=payment.agency_code,
        quota_id=payment.quota_id,
        kind=undo.kind,
        undoes=payment.id,
        amount=-undo.amount,
        pay_date=undo.date,
        payee_name=payment.payee_name,
        payee_account=payment.payee_account,
        payee_bank=payment.payee_bank,
        payee_kind_code=payment.payee_kind_code,
        set_mode_code=payment.set_mode_code,
        purpose=f"{_PURPOSES[undo.kind]}:{undo.reason or undo.bank_no}"[:200],
        posted_by=actor,
    )
