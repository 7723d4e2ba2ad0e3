"""Pages for the lines of a proposal's stage: add, change, remove."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import RedirectResponse, Response
from jincai.money import yuan
from jincai.pages import forms, rendering
from jincai.pages.forms import Form, Yuan
from psycopg import AsyncConnection
from pydantic import Field

from jincai_budget import lines, proposals, year_codes
from jincai_budget.at import At, at
from jincai_budget.either import may_either
from jincai_budget.line import AMOUNT_MOST, KeptLine, Line
from jincai_budget.procedure import STAGES, Stage
from jincai_budget.refusals import RefusalError, answered
from jincai_budget.whole import locked_for

router = APIRouter(prefix="/budget/proposals/{number}/lines/{stage}", include_in_schema=False)

_Editing = Annotated[At, Depends(at(may_either("budget.submit", "budget.draft")))]
_LineId = Annotated[int, Path(gt=0, lt=2**63)]


class LineForm(Line):
    """A line as a person fills it in: the amount in yuan."""

    amount: Annotated[Yuan, Field(ge=0, le=AMOUNT_MOST)]


@router.get("/new")
async def new_page(at: _Editing, stage: Stage) -> Response:
    """The form of a further line."""
    return await _form(at, stage, forms.empty(bgt_type_code="1", fund_type_code="1"))


@router.post("/new")
async def add(at: _Editing, stage: Stage) -> Response:
    """Add a line."""
    return await _put(at, stage, None)


@router.get("/{line_id}")
async def line_page(at: _Editing, stage: Stage, line_id: _LineId) -> Response:
    """The form of a line that is there."""
    with answered(at.request):
        line = await at.platform.database.read(
            lambda cx: _line(cx, at.number, stage, line_id), token=at.who.token
        )
    given = {name: str(value) for name, value in line.model_dump().items() if name in Line.model_fields}
    return await _form(at, stage, forms.empty(**{**given, "amount": yuan(line.amount)}))


@router.post("/{line_id}")
async def change(at: _Editing, stage: Stage, line_id: _LineId) -> Response:
    """Change a line."""
    return await _put(at, stage, line_id)


@router.post("/{line_id}/remove")
async def remove(at: _Editing, stage: Stage, line_id: _LineId) -> Response:
    """Remove a line."""

    async def work(cx: AsyncConnection) -> None:
        await lines.drop_one(cx, await locked_for(cx, at.number, stage, at.who), stage, line_id)

    with answered(at.request):
        await at.platform.database.write(work, token=at.who.token)
    return _back(at)


async def _put(at: At, stage: Stage, replaced: int | None) -> Response:
    form = await forms.read(at.request, LineForm)
    if line := form.value:

        async def work(cx: AsyncConnection) -> None:
            proposal = await locked_for(cx, at.number, stage, at.who)
            await lines.put_one(cx, proposal, stage, line, at.who.actor, replaced=replaced)

        try:
            await at.platform.database.write(work, token=at.who.token)
            return _back(at)
        except RefusalError as refusal:
            if refusal.status != 422:
                raise HTTPException(refusal.status, refusal.text(at.request)) from refusal
            form.refuse(refusal.text(at.request))
    return await _form(at, stage, form, 422)


async def _form(at: At, stage: Stage, form: Form[Any], status: int = 200) -> Response:
    async def work(cx: AsyncConnection) -> tuple[proposals.Proposal, dict[str, dict[str, str]]]:
        proposal = await proposals.get(cx, at.number)
        lines.refuse_closed(proposal, stage)
        return proposal, await year_codes.of(cx, proposal.fiscal_year)

    with answered(at.request):
        proposal, codes = await at.platform.database.read(work, token=at.who.token)
    context = {"proposal": proposal, "stage": stage, "stages": STAGES, "form": form, "codes": codes}
    return rendering.page(at.request, at.platform, "budget/line.html", context, status)


async def _line(cx: AsyncConnection, number: int, stage: Stage, line_id: int) -> KeptLine:
    for line in await lines.kept(cx, number, stage):
        if line.id == line_id:
            return line
    raise RefusalError(
        404,
        "这条明细已被修改或删除,请返回预算页面。",
        "The line was changed or removed; go back to the proposal.",
    )


def _back(at: At) -> Response:
    return RedirectResponse(f"/budget/proposals/{at.number}", 303)
