"""Pages of 指标变更: the list, one request with its decision, and the form that asks."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal, may
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import AsyncConnection, sql
from pydantic import ConfigDict, Field

from jincai_budget import changes, decisions, indicators, neighbours
from jincai_budget.at import At, at
from jincai_budget.change import CHANGE_STATES, KINDS, REQUEST_KINDS, ChangeState
from jincai_budget.change_form import ChangeForm
from jincai_budget.decisions import ApproveChange, RefuseChange
from jincai_budget.refusals import RefusalError, answered
from jincai_budget.shown import moment

router = APIRouter(prefix="/budget/changes", include_in_schema=False)

_Maker = Annotated[Principal, Depends(may("budget.draft"))]
_Reading = Annotated[At, Depends(at(may("budget.read")))]
_Deciding = Annotated[At, Depends(at(may("budget.approve")))]

CHANGES = Table(
    name="changes",
    books=sql.Identifier("budget", "change_request"),
    rows="""
SELECT r.id, r.agency_code, r.kind, r.amount, r.reason, r.state, r.made_by, r.checked_by,
       s.indicator_no AS source_no, g.indicator_no AS target_no
  FROM budget.change_request AS r
  LEFT JOIN budget.indicator AS s ON s.id = r.source_id
  LEFT JOIN budget.indicator AS g ON g.id = r.target_id
 WHERE r.fiscal_year = %(fiscal_year)s AND r.division = %(division)s
""",
    columns=(
        Column("申请号", "Request", "id", "number", link="/budget/changes/{id}"),
        Column("类别", "Kind", "kind", words=KINDS),
        Column("单位", "Unit", "agency_code"),
        Column("转出指标", "From", "source_no"),
        Column("转入指标", "To", "target_no"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("状态", "State", "state", words=CHANGE_STATES),
        Column("申请人", "Made by", "made_by"),
        Column("审批人", "Checked by", "checked_by"),
        Column("原因", "Why", "reason"),
    ),
    filters=(
        Filter("state", "状态", "State", "state", kind="choice", words=CHANGE_STATES),
        Filter("kind", "类别", "Kind", "kind", kind="choice", words=REQUEST_KINDS),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("reason", "原因", "Why", "reason", "contains"),
    ),
    order=("-id",),
)


class NewAddress(PageAddress):
    """The form's address: which indicator it is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator_id: int = Field(gt=0, lt=2**63)


@router.get("")
async def changes_page(request: Request, platform: PlatformOf) -> Response:
    """Requests of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=CHANGES, title=("指标变更", "Changes"), permission="budget.read"
    )


@router.get("/new")
async def new_page(
    request: Request, platform: PlatformOf, who: _Maker, asked: Annotated[NewAddress, Query()]
) -> Response:
    """The form that asks for a change of one indicator."""
    form = forms.empty(indicator_id=str(asked.indicator_id), idempotency_key=secrets.token_urlsafe(24))
    return await _form(request, platform, who, form, about=asked.indicator_id)


@router.post("/new")
async def ask(request: Request, platform: PlatformOf, who: _Maker) -> Response:
    """Ask, and go to the request."""
    form = await forms.read(request, ChangeForm)
    if form.value and (wrong := form.value.mistake()):
        field, chinese, english = wrong
        form.refuse(chinese if language.of(request) == "zh" else english, field)
    if filled := form.value:
        asked = filled.asked()
        try:
            made = await platform.database.write(
                lambda cx: changes.ask(cx, asked, who), token=who.token, repeatable=True
            )
            return RedirectResponse(f"/budget/changes/{made.id}", 303)
        except RefusalError as refusal:
            form.refuse(refusal.text(request))
    about = str(form.given.get("indicator_id", ""))
    if not about.isdecimal() or not 0 < int(about) < 2**63:
        raise HTTPException(422)
    return await _form(request, platform, who, form, about=int(about), status=422)


@router.get("/{number}")
async def change_page(at: _Reading) -> Response:
    """One request."""
    return await _show(at, forms.empty())


@router.post("/{number}/approve")
async def approve(at: _Deciding) -> Response:
    """Approve it."""
    form = await forms.read(at.request, ApproveChange)
    return await _decide(at, form, "approved", form.value.reason if form.value else "")


@router.post("/{number}/refuse")
async def refuse(at: _Deciding) -> Response:
    """Refuse it."""
    form = await forms.read(at.request, RefuseChange)
    return await _decide(at, form, "refused", form.value.reason if form.value else "")


async def _decide(at: At, form: Form[Any], state: ChangeState, reason: str) -> Response:
    if form.value is None or state == "requested":
        return await _show(at, form, 422)
    try:
        await at.platform.database.write(
            lambda cx: decisions.decide(cx, at.number, state, reason, at.who),
            token=at.who.token,
            repeatable=True,
        )
    except RefusalError as refusal:
        if refusal.status == 404:
            raise HTTPException(404, refusal.text(at.request)) from refusal
        return await _show(at, form.refuse(refusal.text(at.request)), refusal.status)
    return RedirectResponse(f"/budget/changes/{at.number}", 303)


async def _show(at: At, form: Form[Any], status: int = 200) -> HTMLResponse:
    async def work(cx: AsyncConnection) -> dict[str, object]:
        one = await changes.get(cx, at.number)
        return {"one": one, "numbers": await neighbours.numbers(cx, (one.source_id, one.target_id))}

    with answered(at.request):
        found = await at.platform.database.read(work, token=at.who.token)
    context = {**found, "form": form, "kinds": KINDS, "states": CHANGE_STATES, "moment": moment}
    return rendering.page(at.request, at.platform, "budget/change.html", context, status)


async def _form(
    request: Request, platform: Platform, who: Principal, form: Form[Any], *, about: int, status: int = 200
) -> Response:
    async def work(cx: AsyncConnection) -> dict[str, object]:
        found = (await indicators.history(cx, about)).indicator
        return {"indicator": found, "others": await neighbours.of(cx, found)}

    with answered(request):
        found = await platform.database.read(work, token=who.token)
    context = {**found, "form": form, "kinds": forms.words(REQUEST_KINDS, request)}
    return rendering.page(request, platform, "budget/change_new.html", context, status)
