"""Pages of 二上二下: the list, one proposal with what its reader may do next, and its steps."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jincai.auth.principal import Principal, may
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form
from jincai.paging import this_year
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql
from pydantic import BaseModel, Field

from jincai_budget import comparison, proposals, steps
from jincai_budget.approval import ApproveStep, NextStep
from jincai_budget.at import At, at
from jincai_budget.either import may_either
from jincai_budget.line import TEXT
from jincai_budget.procedure import LEVELS, STAGES, STATES, STEPS, Kind
from jincai_budget.proposals import NewProposal
from jincai_budget.refusals import RefusalError, answered
from jincai_budget.shown import moment
from jincai_budget.steps import ReturnStep
from jincai_budget.whole import read_whole

router = APIRouter(prefix="/budget/proposals", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("budget.read"))]
_Unit = Annotated[Principal, Depends(may("budget.submit"))]
_Reading = Annotated[At, Depends(at(may("budget.read")))]
_Submitting = Annotated[At, Depends(at(may("budget.submit")))]
_Issuing = Annotated[At, Depends(at(may("budget.draft")))]
_Approving = Annotated[At, Depends(at(may("budget.approve")))]
_Reviewing = Annotated[At, Depends(at(may_either("budget.draft", "budget.approve")))]
_LEVEL = re.compile(r"level_([0-9]{1,18})", re.ASCII)

PROPOSALS = Table(
    name="proposals",
    books=sql.Identifier("budget", "proposal"),
    rows="""
SELECT p.id, p.agency_code, p.state, l.first, l.second, l.approved,
       CASE WHEN p.state <> 'first_submitted' THEN l.control END AS control
  FROM budget.proposal AS p
  LEFT JOIN LATERAL (
       SELECT sum(amount) FILTER (WHERE stage = 'first')::bigint AS first,
              sum(amount) FILTER (WHERE stage = 'control')::bigint AS control,
              sum(amount) FILTER (WHERE stage = 'second')::bigint AS second,
              sum(amount) FILTER (WHERE stage = 'approved')::bigint AS approved
         FROM budget.proposal_line WHERE proposal_id = p.id) AS l ON true
 WHERE p.fiscal_year = %(fiscal_year)s AND p.division = %(division)s
""",
    columns=(
        Column("单位", "Unit", "agency_code", link="/budget/proposals/{id}"),
        Column("状态", "State", "state", words=STATES, link="/budget/proposals/{id}"),
        Column("一上(元)", "First (yuan)", "first", "money"),
        Column("控制数(元)", "Control (yuan)", "control", "money"),
        Column("二上(元)", "Second (yuan)", "second", "money"),
        Column("批复(元)", "Approved (yuan)", "approved", "money"),
    ),
    filters=(
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("state", "状态", "State", "state", kind="choice", words=STATES),
    ),
    order=("agency_code", "id"),
)


class ApproveForm(BaseModel):
    """批复 as a person fills it in; levels of single lines come as ``level_<id>``."""

    seen: int = Field(gt=0, lt=2**63)
    reason: str = Field(default="", max_length=200, pattern=TEXT)
    control_level: int = Field(default=2, ge=0, le=2)


@router.get("")
async def proposals_page(request: Request, platform: PlatformOf, who: _Reader) -> Response:
    """Proposals of one division in one fiscal year."""
    new = (("新建部门预算", "New proposal", "/budget/proposals/new"),)
    return await listing.answer(
        request,
        platform,
        table=PROPOSALS,
        title=("部门预算", "Proposals"),
        permission="budget.read",
        actions=new if "budget.submit" in who.permissions else (),
    )


@router.get("/new")
async def new_page(request: Request, platform: PlatformOf, who: _Unit) -> Response:
    """The form of a new proposal, for this year and the person's own unit."""
    given = {"fiscal_year": str(this_year())}
    if who.divisions:  # the smallest is the area's own level, the others lie below it
        given["division"] = min(who.divisions)
    if who.agencies and len(who.agencies) == 1:
        given["agency_code"] = who.agencies[0]
    return rendering.page(request, platform, "budget/new.html", {"form": forms.empty(**given)})


@router.post("/new")
async def create(request: Request, platform: PlatformOf, who: _Unit) -> Response:
    """Begin a proposal and go to it."""
    form = await forms.read(request, NewProposal)
    if asked := form.value:
        try:
            made = await platform.database.write(
                lambda cx: proposals.create(cx, asked, who), token=who.token, repeatable=True
            )
            return RedirectResponse(f"/budget/proposals/{made.id}", 303)
        except RefusalError as refusal:
            form.refuse(refusal.text(request))
    return rendering.page(request, platform, "budget/new.html", {"form": form}, 422)


@router.get("/{number}")
async def proposal_page(at: _Reading) -> Response:
    """One proposal."""
    return await show(at, forms.empty(control_level="2"))


@router.post("/{number}/submit")
async def submit(at: _Submitting) -> Response:
    """一上 or 二上."""
    form = await forms.read(at.request, NextStep)
    return await _step(at, "submit", form, form.value)


@router.post("/{number}/issue")
async def issue(at: _Issuing) -> Response:
    """下达控制数."""
    form = await forms.read(at.request, NextStep)
    return await _step(at, "issue", form, form.value)


@router.post("/{number}/return")
async def return_to_unit(at: _Reviewing) -> Response:
    """退回单位."""
    form = await forms.read(at.request, ReturnStep)
    return await _step(at, "return", form, form.value)


@router.post("/{number}/approve")
async def approve(at: _Approving) -> Response:
    """批复."""
    form = await forms.read(at.request, ApproveForm)
    step = None
    if form.value:
        levels = dict(_levels(form.given))
        step = ApproveStep(**form.value.model_dump(), control_levels=levels)
    return await _step(at, "approve", form, step)


async def show(at: At, form: Form[Any], status: int = 200) -> HTMLResponse:
    """The page of a proposal, with ``form`` as it was filled in."""
    with answered(at.request):
        whole = await at.platform.database.read(
            lambda cx: read_whole(cx, at.number, at.who), token=at.who.token
        )
    context = {
        "whole": whole,
        "proposal": whole.proposal,
        "comparison": comparison.compare(whole.lines, whole.stages),
        "form": form,
        "states": STATES,
        "stages": STAGES,
        "steps": STEPS,
        "levels": forms.words(LEVELS, at.request),
        "moment": moment,
    }
    return rendering.page(at.request, at.platform, "budget/proposal.html", context, status)


async def _step(at: At, kind: Kind, form: Form[Any], step: NextStep | None) -> Response:
    if step is None:
        return await show(at, form, 422)
    try:
        await at.platform.database.write(
            lambda cx: steps.take(cx, at.number, kind, step, at.who), token=at.who.token, repeatable=True
        )
    except RefusalError as refusal:
        if refusal.status == 404:
            raise HTTPException(404, refusal.text(at.request)) from refusal
        return await show(at, form.refuse(refusal.text(at.request)), refusal.status)
    return RedirectResponse(f"/budget/proposals/{at.number}", 303)


def _levels(given: Mapping[str, object]) -> Iterator[tuple[int, int]]:
    for name, value in given.items():
        if (found := _LEVEL.fullmatch(name)) and value in {"0", "1", "2"}:
            yield int(found[1]), int(str(value))
