"""A proposal's steps: submit, issue control figures, return, approve. Each is one transaction."""

from collections.abc import Mapping

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from pydantic import Field

from jincai_budget import approval, ceiling, lines, proposals
from jincai_budget.approval import ApproveStep, NextStep
from jincai_budget.line import TEXT, KeptLine
from jincai_budget.procedure import MOVES, STATES, STEPS, Kind, Stage, State, reviewed
from jincai_budget.proposals import Proposal
from jincai_budget.refusals import RefusalError


class ReturnStep(NextStep):
    """Back to the unit, and why."""

    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)


_MOVE = "UPDATE budget.proposal SET state = %(to)s WHERE id = %(id)s AND state = %(from)s"
_STEP = """
INSERT INTO budget.proposal_step
       (proposal_id, fiscal_year, division, agency_code, kind, from_state, to_state, reason, amount, made_by)
VALUES (%(id)s, %(fiscal_year)s, %(division)s, %(agency_code)s, %(kind)s, %(from)s, %(to)s, %(reason)s,
        %(amount)s, %(actor)s)
"""
_AFTER = """
SELECT kind, made_by FROM budget.proposal_step WHERE proposal_id = %s AND id > %s ORDER BY id LIMIT 1
"""
# Whoever had a hand in what is under review, other than by reviewing it.
_HANDS = """
SELECT made_by FROM budget.proposal_step WHERE proposal_id = %(id)s AND kind IN ('create', 'submit', 'issue')
 UNION
SELECT made_by FROM budget.proposal_line WHERE proposal_id = %(id)s
"""


async def take(cx: AsyncConnection, number: int, kind: Kind, step: NextStep, who: Principal) -> Proposal:
    """Lead proposal ``number`` on by one step; the proposal as it is then.

    Raises:
        RefusalError: 403, not this person; 404; 409, not now; 422, not with these lines.
    """
    proposal = await proposals.locked(cx, number)
    if proposal.seen != step.seen:
        after = await (await cx.execute(_AFTER, (number, step.seen))).fetchone()
        if after == (kind, who.actor):
            return proposal
        raise _not_now(proposal, kind)
    if (kind, proposal.state) not in MOVES:
        raise _not_now(proposal, kind)
    to, permission = MOVES[kind, proposal.state]
    if permission not in who.permissions:
        raise RefusalError(
            403, f"这一步需要权限 {permission}。", f"This step takes the permission {permission}."
        )
    await _refuse_own(cx, number, kind, who)
    stage = reviewed(proposal.state)
    present = await lines.kept(cx, number, stage)
    if kind != "return":
        await _refuse_unfit(cx, proposal, stage, present)
    reason = step.reason if isinstance(step, ReturnStep | ApproveStep) else ""
    if isinstance(step, ApproveStep):
        await approval.make_indicators(cx, proposal, who.actor, step)
    elif kind == "return" and stage == "control":
        await lines.drop(cx, number, "control")
    moved = {
        **proposal.model_dump(include={"id", "fiscal_year", "division", "agency_code"}),
        "from": proposal.state,
        "to": to,
        "kind": kind,
        "reason": reason,
        "actor": who.actor,
        "amount": sum(line.amount for line in present),
    }
    await cx.execute(_MOVE, moved)
    await cx.execute(_STEP, moved)
    await _begin(cx, number, to, who.actor)
    return await proposals.get(cx, number)


# A stage begins with what the one before it came to.
_BEGINS: Mapping[State, tuple[Stage, Stage]] = {
    "first_submitted": ("first", "control"),
    "control_issued": ("control", "second"),
}


async def _begin(cx: AsyncConnection, number: int, state: State, actor: str) -> None:
    if state in _BEGINS:
        stage, to = _BEGINS[state]
        await lines.copy(cx, number, stage, to, actor)


async def hands(cx: AsyncConnection, number: int, kind: Kind) -> set[str]:
    """Who may not take step ``kind``, since it reviews what they made.

    Issuing and returning review what the unit submitted; approving, all that unit and finance's maker made.
    """
    if kind == "submit":
        return set()
    if kind == "approve":
        return {row[0] for row in await (await cx.execute(_HANDS, {"id": number})).fetchall()}
    return {one.made_by for one in await proposals.trail(cx, number) if one.kind == "submit"}


async def _refuse_own(cx: AsyncConnection, number: int, kind: Kind, who: Principal) -> None:
    if who.actor in await hands(cx, number, kind):
        raise RefusalError(
            403,
            f"{who.actor} 参与过这份预算的编报,不能再{STEPS[kind][0]}。请由另一人办理。",
            f"{who.actor} had a hand in this proposal; another person must do this ({STEPS[kind][1]}).",
        )


async def _refuse_unfit(
    cx: AsyncConnection, proposal: Proposal, stage: Stage, present: list[KeptLine]
) -> None:
    if not present:
        raise RefusalError(422, "还没有明细,请先填写。", "There are no lines yet; fill them in first.")
    await lines.refuse_unknown(cx, proposal.fiscal_year, present)
    if stage == "second":
        ceiling.refuse_above(await lines.kept(cx, proposal.id, "control"), present)


def _not_now(proposal: Proposal, kind: Kind) -> RefusalError:
    chinese, english = STATES[proposal.state]
    return RefusalError(
        409,
        f"这份预算现在是“{chinese}”,不能按您看到的状态{STEPS[kind][0]}。请刷新后再办理。",
        f"The proposal is now “{english}” and not as you saw it ({STEPS[kind][1]}); read it again first.",
    )
