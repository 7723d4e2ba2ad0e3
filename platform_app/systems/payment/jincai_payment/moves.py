"""支付申请, step by step: 送审, 审核, 退回, 作废. Three different people make, review and sign one.

All applications chosen move, or none. Asked again by who did it, a step is answered the same.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from jincai.auth.principal import Principal
from psycopg import AsyncConnection

from jincai_payment import applications
from jincai_payment.application import Application, State
from jincai_payment.desk import DeskError
from jincai_payment.words import APPLICATION_STATES

Move = Literal["submit", "review", "return", "void"]
MOVES: tuple[Move, ...] = get_args(Move)

# Move → the state that it leads to, and those that it starts from.
_WAYS: dict[Move, tuple[State, frozenset[State]]] = {
    "submit": ("submitted", frozenset({"draft", "returned"})),
    "review": ("reviewed", frozenset({"submitted"})),
    "return": ("returned", frozenset({"submitted", "reviewed"})),
    "void": ("void", frozenset({"draft", "submitted", "reviewed", "returned"})),
}
# Who submits answers for it. What is returned is asked anew, under another key of posting.
_MOVE = """
UPDATE payment.application
   SET state = %(state)s,
       made_by = CASE %(state)s WHEN 'submitted' THEN %(actor)s ELSE made_by END,
       reviewed_by = CASE %(state)s WHEN 'reviewed' THEN %(actor)s WHEN 'returned' THEN NULL
                                    ELSE reviewed_by END,
       revision = revision + CASE %(state)s WHEN 'returned' THEN 1 ELSE 0 END
 WHERE id = ANY (%(ids)s)
"""
_LAST = """
SELECT DISTINCT ON (application_id) application_id, by_whom
  FROM payment.application_step
 WHERE application_id = ANY (%s)
 ORDER BY application_id, id DESC
"""
# Those that this person wrote, at any time.
_WRITTEN = """
SELECT DISTINCT application_id
  FROM payment.application_step
 WHERE application_id = ANY (%s) AND by_whom = %s AND action IN ('made', 'edited', 'submitted')
 ORDER BY 1
"""
# Those whose order rules hold under the key of now.
_HELD = """
SELECT a.id
  FROM payment.application AS a
  JOIN payment.held AS h
    ON (h.division, h.idempotency_key) = (a.division, format('application-%%s-%%s', a.id, a.revision))
 WHERE a.id = ANY (%s) AND h.state = 'held'
 ORDER BY 1
"""


async def move(
    cx: AsyncConnection, principal: Principal, ids: Sequence[int], step: Move, reason: str = ""
) -> list[Application]:
    """Move the applications ``ids`` one step; ``reason`` for what is returned or void.

    Raises:
        DeskError: names the first that cannot, and why; nothing happened.
    """
    state, starts = _WAYS[step]
    found = await applications.fetch(cx, ids, lock=True)
    due = [one.id for one in found if one.state in starts]
    await require_done_by(cx, principal, [one for one in found if one.id not in due], state)
    if step == "review":
        await require_not_written_by(cx, principal, due)
    if step == "return":
        _require_stage(principal, [one for one in found if one.id in due])
    if step in {"return", "void"}:
        await _require_not_held(cx, due)
    await cx.execute(_MOVE, {"state": state, "actor": principal.actor, "ids": due})
    await applications.note(cx, principal, state, dict.fromkeys(due, reason))
    return await applications.fetch(cx, ids)


async def _require_not_held(cx: AsyncConnection, ids: Sequence[int]) -> None:
    held = await (await cx.execute(_HELD, (list(ids),))).fetchone()
    if held:
        raise DeskError(
            409,
            f"支付申请 {held[0]} 已被监控拦截,须先由监控主管驳回,才能退回或作废。",
            f"Application {held[0]} is held by monitoring: a supervisor rejects it first.",
        )


async def require_done_by(
    cx: AsyncConnection, principal: Principal, others: Sequence[Application], state: State
) -> None:
    """Refuse what is in another state than this step starts from, unless this person has done it already.

    Raises:
        DeskError: names the application, its state and who did it.
    """
    rows = await (await cx.execute(_LAST, ([one.id for one in others],))).fetchall()
    last: dict[int, str] = dict(rows)
    for one in others:
        if (one.state, last[one.id]) != (state, principal.actor):
            chinese, english = APPLICATION_STATES[one.state]
            raise DeskError(
                409,
                f"支付申请 {one.id} 现为“{chinese}”({last[one.id]}),不能进行这一步。请重新读取。",
                f"Application {one.id} is {english.lower()} by now ({last[one.id]}); read it anew.",
            )


async def require_not_written_by(cx: AsyncConnection, principal: Principal, ids: Sequence[int]) -> None:
    """Refuse to let somebody check what they wrote themselves.

    Raises:
        DeskError: names the application.
    """
    written = await (await cx.execute(_WRITTEN, (list(ids), principal.actor))).fetchone()
    if written:
        raise DeskError(
            403,
            f"支付申请 {written[0]} 由您本人填写,须由他人审核和签章。",
            f"You wrote application {written[0]} yourself; others must review and sign it.",
        )


def _require_stage(principal: Principal, found: Sequence[Application]) -> None:
    """The reviewer returns what waits for review, the signer what waits for signing."""
    needed = {"submitted": "payment.review", "reviewed": "payment.post"}
    for one in found:
        if needed[one.state] not in principal.permissions:
            chinese, english = APPLICATION_STATES[one.state]
            raise DeskError(
                403,
                f"支付申请 {one.id} 现为“{chinese}”,须由该环节的人员退回。",
                f"Application {one.id} is {english.lower()}; whoever has that step returns it.",
            )
