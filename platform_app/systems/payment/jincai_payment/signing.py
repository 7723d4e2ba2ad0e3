"""签章: reviewed applications become payments, posted in one transaction; what is refused stays reviewed."""

from collections.abc import Mapping, Sequence

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_payment import applications, moves
from jincai_payment.application import Application
from jincai_payment.desk import DeskError
from jincai_payment.order import Decision, Order
from jincai_payment.post import post

_SIGN = """
UPDATE payment.application AS a
   SET state = 'signed', signed_by = %s, payment_id = w.payment_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS w (id, payment_id)
 WHERE a.id = w.id
"""
# `post` keeps a refusal under its key: another try, when there is more quota, goes by another.
_NEXT = "UPDATE payment.application SET revision = revision + 1 WHERE id = ANY (%s)"


class Signed(BaseModel):
    """What became of an application; ``reason`` as `order.Reason`, or ``held``, if `post` did not post it."""

    model_config = ConfigDict(frozen=True)

    id: int
    signed: bool
    reason: str = ""
    rules: tuple[str, ...] = ()
    payment_id: int | None = None
    warned: bool = False
    again: bool = False


async def sign(cx: AsyncConnection, principal: Principal, ids: Sequence[int]) -> list[Signed]:
    """Sign and post the applications ``ids`` in one batch; one answer each, by id.

    Locks applications by id, then whatever `post` locks.

    Raises:
        DeskError: one is not reviewed, or the asker has had part in it before; nothing happened.
        psycopg.errors.Error: as from `post`.
    """
    found = await applications.fetch(cx, ids, lock=True)
    due = [one for one in found if one.state == "reviewed"]
    done = [one for one in found if one.state != "reviewed"]
    await moves.require_done_by(cx, principal, done, "signed")
    _require_third(principal, due)
    await moves.require_not_written_by(cx, principal, [one.id for one in due])
    decisions = await post(cx, [_order(one, principal) for one in due])
    decided = dict(zip((one.id for one in due), decisions, strict=True))
    await _record(cx, principal, decided)
    answers = [
        *(_answer(number, decision) for number, decision in decided.items()),
        *(Signed(id=one.id, signed=True, payment_id=one.payment_id, again=True) for one in done),
    ]
    return sorted(answers, key=lambda one: one.id)


async def _record(cx: AsyncConnection, principal: Principal, decided: Mapping[int, Decision]) -> None:
    signed = {n: one.payment_id for n, one in decided.items() if one.outcome == "posted"}
    refused: dict[int, str] = {n: one.reason for n, one in decided.items() if one.outcome == "refused"}
    # What rules hold keeps its key: it waits for another person's release, and is not asked under another.
    held = [n for n, one in decided.items() if one.outcome == "held" and not one.again]
    await cx.execute(_SIGN, (principal.actor, list(signed), list(signed.values())))
    await applications.note(cx, principal, "signed", dict.fromkeys(signed, ""))
    await applications.note(cx, principal, "refused", refused)
    await applications.note(cx, principal, "held", dict.fromkeys(held, ""))
    await cx.execute(_NEXT, (list(refused),))


def _answer(number: int, decision: Decision) -> Signed:
    return Signed(
        id=number,
        signed=decision.outcome == "posted",
        reason=decision.reason or ("held" if decision.outcome == "held" else ""),
        rules=decision.rules,
        payment_id=decision.payment_id,
        warned=decision.warned,
    )


def _require_third(principal: Principal, due: Sequence[Application]) -> None:
    for one in due:
        if principal.actor == one.reviewed_by:
            raise DeskError(
                403,
                f"支付申请 {one.id} 由您本人审核,须由他人签章。",
                f"You reviewed application {one.id} yourself; somebody else must sign it.",
            )


def _order(one: Application, principal: Principal) -> Order:
    return Order(
        idempotency_key=f"application-{one.id}-{one.revision}",
        fiscal_year=one.fiscal_year,
        division=one.division,
        agency_code=one.agency_code,
        quota_id=one.quota_id,
        kind=one.kind,
        undoes=one.undoes,
        amount=one.amount,
        pay_date=one.pay_date,
        payee_name=one.payee_name,
        payee_account=one.payee_account,
        payee_bank=one.payee_bank,
        payee_kind_code=one.payee_kind_code,
        set_mode_code=one.set_mode_code,
        purpose=one.purpose,
        posted_by=principal.actor,
        token=principal.token,
    )
