"""A proposal as one person sees it: its lines stage by stage, its trail, and what they may do next."""

from collections.abc import Sequence

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_budget import lines, proposals, steps
from jincai_budget.line import KeptLine, Line
from jincai_budget.procedure import MOVES, OPEN, STAGES, Kind, Stage
from jincai_budget.proposals import Proposal, Step
from jincai_budget.refusals import RefusalError


class Whole(BaseModel):
    """One proposal.

    ``stages`` are those that have begun, ``open`` the one whose lines the reader may change now, ``next`` the
    steps that the reader may take now.
    """

    model_config = ConfigDict(frozen=True)

    proposal: Proposal
    stages: list[Stage]
    lines: list[KeptLine]
    trail: list[Step]
    open: Stage | None
    next: list[Kind]


async def read_whole(cx: AsyncConnection, number: int, who: Principal) -> Whole:
    """The proposal for ``who``.

    Raises:
        RefusalError: 404.
    """
    proposal = await proposals.get(cx, number)
    kept = await lines.kept(cx, number)
    if proposal.state == "first_submitted" and not who.permissions & {"budget.draft", "budget.approve"}:
        # Control figures are finance's own until they are issued.
        kept = [line for line in kept if line.stage != "control"]
    begun = {line.stage for line in kept}
    stage, permission = OPEN.get(proposal.state, (None, ""))
    following = [
        kind
        for (kind, state), (_, needed) in MOVES.items()
        if state == proposal.state and needed in who.permissions
    ]
    return Whole(
        proposal=proposal,
        stages=[one for one in STAGES if one in begun],
        lines=kept,
        trail=await proposals.trail(cx, number),
        open=stage if permission in who.permissions else None,
        next=[kind for kind in following if who.actor not in await steps.hands(cx, number, kind)],
    )


async def put_lines(
    cx: AsyncConnection, number: int, stage: Stage, asked: Sequence[Line], who: Principal
) -> None:
    """Make ``asked`` the lines of ``stage``, if that is with ``who`` now.

    Raises:
        RefusalError: 403, it is with others; 404; 409, the stage is closed; 422, the lines are wrong.
    """
    await lines.put(cx, await locked_for(cx, number, stage, who), stage, asked, who.actor)


async def locked_for(cx: AsyncConnection, number: int, stage: Stage, who: Principal) -> Proposal:
    """The proposal, locked, for ``who`` may change lines of ``stage`` while it is being worked on.

    Raises:
        RefusalError: 403, the stage is with others; 404.
    """
    proposal = await proposals.locked(cx, number)
    needed = dict(OPEN.values()).get(stage)
    if needed and needed not in who.permissions:
        raise RefusalError(
            403,
            f"修改这一阶段的明细需要权限 {needed}。",
            f"Changing this stage takes the permission {needed}.",
        )
    return proposal
