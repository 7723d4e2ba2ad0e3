"""拦截: orders that rules stopped before payment; another person releases or rejects what is held.

Released, an order goes through `post` like every other, only not asked again by the rules that the release
answers for. An application whose order is held waits with it.
"""

import datetime as dt
import re
from typing import Literal

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_payment import applications
from jincai_payment.desk import DeskError
from jincai_payment.order import Decision, Order
from jincai_payment.post import post

State = Literal["held", "released", "rejected", "forbidden"]

COLUMNS = """
h.id, h.fiscal_year, h.division, h.agency_code, h.quota_id, h.payee_name, h.payee_account, h.payee_bank,
h.payee_kind_code, h.set_mode_code, h.purpose, h.amount, h.pay_date, h.idempotency_key, h.state, h.edition,
h.rules, h.asked_by, h.asked_at, h.decided_by, h.decided_at, h.reason, h.payment_id
"""
_FIND = f"SELECT {COLUMNS} FROM payment.held AS h WHERE h.id = %s"  # noqa: S608 - columns above
_KEY = "SELECT division, idempotency_key FROM payment.held WHERE id = %s"
# The key that `signing` asks under.
_APPLICATION = re.compile(r"application-([0-9]{1,18})-([0-9]{1,9})")
_OF_APPLICATION = """
SELECT a.id, ARRAY(SELECT DISTINCT s.by_whom FROM payment.application_step AS s WHERE s.application_id = a.id)
  FROM payment.application AS a
 WHERE a.id = %s AND a.revision = %s AND a.division = %s AND a.state = 'reviewed'
   FOR NO KEY UPDATE
"""
_DECIDE = """
UPDATE payment.held
   SET state = %s, decided_by = %s, decided_at = statement_timestamp(), reason = %s, payment_id = %s
 WHERE id = %s
"""
_SIGNED = """
UPDATE payment.application SET state = 'signed', signed_by = %s, payment_id = %s WHERE id = %s
"""
_NEXT = "UPDATE payment.application SET revision = revision + 1 WHERE id = %s"


class Held(BaseModel):
    """An order that rules stopped; ``amount`` in fen, ``rules`` such as ``R1``."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    quota_id: int
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    set_mode_code: str
    purpose: str
    amount: int
    pay_date: dt.date
    idempotency_key: str
    state: State
    edition: int
    rules: list[str]
    asked_by: str
    asked_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    reason: str
    payment_id: int | None


async def find(cx: AsyncConnection, held_id: int, *, lock: bool = False) -> Held:
    """The order ``held_id``; with ``lock`` nobody else decides on it until the transaction ends.

    Raises:
        DeskError: 404, there is none that this session may see.
    """
    async with cx.cursor(row_factory=class_row(Held)) as cursor:
        question = f"{_FIND} FOR NO KEY UPDATE" if lock else _FIND
        found = await (await cursor.execute(question.encode(), (held_id,))).fetchone()
    if found is None:
        raise DeskError(404, f"没有被拦截的支付 {held_id}。", f"There is no held order {held_id}.")
    return found


async def release(cx: AsyncConnection, principal: Principal, held_id: int, reason: str) -> Decision:
    """放行: post the held order, answering for the rules that stopped it, with a reason.

    A further rule may stop it yet: then it stays held, for that one, too. Asked again by the same person, the
    answer is the same. Locks the application, the held order, then whatever `post` locks.

    Raises:
        DeskError: it is decided, or this person had a hand in it, or its quota has not enough.
    """
    application, hands = await _application(cx, held_id)
    held = await find(cx, held_id, lock=True)
    if (held.state, held.decided_by, held.reason) == ("released", principal.actor, reason):
        return Decision("posted", payment_id=held.payment_id, again=True)
    _require_another(principal, held, hands)
    key = (held.division, held.idempotency_key)
    (decision,) = await post(cx, [_order(held)], released={key: frozenset(held.rules)})
    if decision.outcome == "refused" and decision.reason != "forbidden":
        raise DeskError(
            409,
            f"被拦截的支付 {held.id} 不能放行({decision.reason})。请先增加额度,或驳回。",
            f"Held order {held.id} cannot be posted: {decision.reason}. Raise its quota, or reject it.",
        )
    if decision.outcome == "posted":
        await cx.execute(_DECIDE, ("released", principal.actor, reason, decision.payment_id, held.id))
        if application is not None:
            await cx.execute(_SIGNED, (held.asked_by, decision.payment_id, application))
            await applications.note(cx, principal, "signed", {application: ""})
    return decision


async def reject(cx: AsyncConnection, principal: Principal, held_id: int, reason: str) -> None:
    """驳回: the order is never paid, with a reason; an application may be changed or asked anew.

    Raises:
        DeskError: as `release`.
    """
    application, hands = await _application(cx, held_id)
    held = await find(cx, held_id, lock=True)
    if (held.state, held.decided_by, held.reason) == ("rejected", principal.actor, reason):
        return
    _require_another(principal, held, hands)
    await cx.execute(_DECIDE, ("rejected", principal.actor, reason, None, held.id))
    if application is not None:
        await applications.note(cx, principal, "refused", {application: f"监控驳回:{reason}"[:200]})
        await cx.execute(_NEXT, (application,))


async def _application(cx: AsyncConnection, held_id: int) -> tuple[int | None, frozenset[str]]:
    """The application that waits for the order, locked, and everybody who had a hand in it."""
    row = await (await cx.execute(_KEY, (held_id,))).fetchone()
    asked = _APPLICATION.fullmatch(row[1]) if row else None
    if row is None or asked is None:
        return None, frozenset()
    found = await (await cx.execute(_OF_APPLICATION, (int(asked[1]), int(asked[2]), row[0]))).fetchone()
    return (found[0], frozenset(found[1])) if found else (None, frozenset())


def _require_another(principal: Principal, held: Held, hands: frozenset[str]) -> None:
    if held.state != "held":
        raise DeskError(
            409,
            f"被拦截的支付 {held.id} 已由 {held.decided_by or '规则'} 处理({held.state})。请重新读取。",
            f"Held order {held.id} is {held.state} ({held.decided_by or 'by a rule'}); read it anew.",
        )
    if principal.actor == held.asked_by or principal.actor in hands:
        raise DeskError(
            403,
            f"被拦截的支付 {held.id} 由您本人经办,须由他人放行或驳回。",
            f"You had a hand in held order {held.id} yourself; somebody else must release or reject it.",
        )


def _order(held: Held) -> Order:
    # Without a token: the session of ``cx`` has bounded already what could be found at all.
    return Order(
        idempotency_key=held.idempotency_key,
        fiscal_year=held.fiscal_year,
        division=held.division,
        agency_code=held.agency_code,
        quota_id=held.quota_id,
        amount=held.amount,
        pay_date=held.pay_date,
        payee_name=held.payee_name,
        payee_account=held.payee_account,
        payee_bank=held.payee_bank,
        payee_kind_code=held.payee_kind_code,
        set_mode_code=held.set_mode_code,
        purpose=held.purpose,
        posted_by=held.asked_by,
    )
