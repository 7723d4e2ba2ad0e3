"""二上二下 over HTTP: `/api/v1/budget/proposals/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from jincai.auth.principal import Principal, may
from jincai.database import Database
from jincai.paging import Page
from jincai.platform import DatabaseOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_budget import comparison, lines, proposals, steps
from jincai_budget.approval import ApproveStep, NextStep
from jincai_budget.comparison import Comparison
from jincai_budget.either import may_either
from jincai_budget.line import LINES_MOST, KeptLine, Line
from jincai_budget.procedure import Kind, Stage
from jincai_budget.proposals import NewProposal, Proposal, ProposalQuery
from jincai_budget.refusals import answered
from jincai_budget.steps import ReturnStep
from jincai_budget.whole import Whole, put_lines, read_whole

router = APIRouter(prefix="/api/v1/budget/proposals", tags=["budget"])

Number = Annotated[int, Path(gt=0, lt=2**63)]
_Reader = Annotated[Principal, Depends(may("budget.read"))]
_Unit = Annotated[Principal, Depends(may("budget.submit"))]
_Maker = Annotated[Principal, Depends(may("budget.draft"))]
_Checker = Annotated[Principal, Depends(may("budget.approve"))]
_Editor = Annotated[Principal, Depends(may_either("budget.submit", "budget.draft"))]
_Reviewer = Annotated[Principal, Depends(may_either("budget.draft", "budget.approve"))]


class StageLines(BaseModel):
    """All lines of the stage that is being worked on; what is left out is removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    lines: list[Line] = Field(max_length=LINES_MOST)


@router.post("")
async def create_proposal(asked: NewProposal, request: Request, database: DatabaseOf, who: _Unit) -> Proposal:
    """The unit's proposal of the year: begun now, or the one that is there."""
    with answered(request):
        return await database.write(
            lambda cx: proposals.create(cx, asked, who), token=who.token, repeatable=True
        )


@router.get("")
async def list_proposals(
    asked: Annotated[ProposalQuery, Query()], database: DatabaseOf, who: _Reader
) -> Page[Proposal]:
    """Proposals of one division in one fiscal year, filtered by state and unit."""
    return await database.read(lambda cx: proposals.find(cx, asked), token=who.token)


@router.get("/{number}")
async def one_proposal(number: Number, request: Request, database: DatabaseOf, who: _Reader) -> Whole:
    """One proposal with the lines of each stage and its trail."""
    with answered(request):
        return await database.read(lambda cx: read_whole(cx, number, who), token=who.token)


@router.get("/{number}/comparison")
async def compare_stages(number: Number, request: Request, database: DatabaseOf, who: _Reader) -> Comparison:
    """The stages side by side, line by line, with difference and percentage."""
    with answered(request):
        whole = await database.read(lambda cx: read_whole(cx, number, who), token=who.token)
    return comparison.compare(whole.lines, whole.stages)


@router.put("/{number}/lines")
async def put_stage_lines(
    number: Number, asked: StageLines, request: Request, database: DatabaseOf, who: _Editor
) -> list[KeptLine]:
    """Replace the lines of the stage that is being worked on, by whom it is with."""

    async def work(cx: AsyncConnection) -> list[KeptLine]:
        await put_lines(cx, number, asked.stage, asked.lines, who)
        return await lines.kept(cx, number, asked.stage)

    with answered(request):
        return await database.write(work, token=who.token, repeatable=True)


@router.post("/{number}/submit")
async def submit(
    number: Number, step: NextStep, request: Request, database: DatabaseOf, who: _Unit
) -> Proposal:
    """一上 or 二上: the unit submits its lines."""
    with answered(request):
        return await taken(database, number, "submit", step, who)


@router.post("/{number}/issue")
async def issue(
    number: Number, step: NextStep, request: Request, database: DatabaseOf, who: _Maker
) -> Proposal:
    """一下: issue the control figures."""
    with answered(request):
        return await taken(database, number, "issue", step, who)


@router.post("/{number}/approve")
async def approve(
    number: Number, step: ApproveStep, request: Request, database: DatabaseOf, who: _Checker
) -> Proposal:
    """二下: approve; the indicators exist from then on."""
    with answered(request):
        return await taken(database, number, "approve", step, who)


@router.post("/{number}/return")
async def return_to_unit(
    number: Number, step: ReturnStep, request: Request, database: DatabaseOf, who: _Reviewer
) -> Proposal:
    """Return what the unit submitted: the first by the maker, the second by the checker."""
    with answered(request):
        return await taken(database, number, "return", step, who)


async def taken(database: Database, number: int, kind: Kind, step: NextStep, who: Principal) -> Proposal:
    """The step, in a transaction of its own; repeatable, since ``seen`` settles whether it was taken.

    Raises:
        RefusalError: as `steps.take`.
    """
    return await database.write(
        lambda cx: steps.take(cx, number, kind, step, who), token=who.token, repeatable=True
    )
