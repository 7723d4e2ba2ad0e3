"""Pages of quotas and of plans: lists, the form of a plan, and what may be done with one."""

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal, require
from jincai.identity import SHANGHAI
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form, Yuan
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment import approving, choices, desk, desk_tables, plans
from jincai_payment.desk import DeskError, Id, Reason
from jincai_payment.desk_api import Reader, Unit
from jincai_payment.plan import Plan, PlanAsked
from jincai_payment.words import PAY_TYPES, PLAN_STATES

router = APIRouter(prefix="/payment", include_in_schema=False)

# Who takes part in a plan: its unit, and who decides on it.
_Settler = Annotated[Principal, Depends(desk.may_one_of("payment.submit", "payment.review"))]
_STEPS = {"approve": "payment.review", "refuse": "payment.review", "withdraw": "payment.submit"}


class PlanForm(PlanAsked):
    """The form of a plan: the amount is written in yuan."""

    amount: Annotated[Yuan, Field(gt=0)]


class PlanStep(BaseModel):
    """What is to be done with a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Literal["approve", "refuse", "withdraw"]
    reason: Reason | None = None


class NewPlan(PageAddress):
    """The address of an empty form; ``indicator_id`` to begin with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator_id: Id | None = None


@router.get("/quotas")
async def quotas_page(request: Request, platform: PlatformOf, _: Reader) -> Response:
    """Quotas of one division in one fiscal year."""
    return await listing.answer(
        request, platform, table=desk_tables.QUOTAS, title=("额度", "Quotas"), permission="payment.read"
    )


@router.get("/plans")
async def plans_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """Plans of one division in one fiscal year."""
    new = ("申报用款计划", "Submit a plan", "/payment/plans/new")
    return await listing.answer(
        request,
        platform,
        table=desk_tables.PLANS,
        title=("用款计划", "Spending plans"),
        permission="payment.read",
        actions=(new,) if "payment.submit" in principal.permissions else (),
    )


@router.get("/plans/new")
async def new_plan(
    request: Request, platform: PlatformOf, principal: Unit, asked: Annotated[NewPlan, Query()]
) -> Response:
    """The form of a plan."""
    form = forms.empty(idempotency_key=secrets.token_urlsafe(16), indicator_id=str(asked.indicator_id or ""))
    return await _form(request, platform, principal, form)


@router.post("/plans")
async def submit_plan(request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """Submit what the form says."""
    form = await forms.read(request, PlanForm)
    if form.value is None:
        return await _form(request, platform, principal, form, status=422)
    asked = form.value
    try:
        made = await desk.write(platform, principal, lambda cx: plans.submit(cx, principal, asked))
    except DeskError as error:
        form.refuse(error.text(request), error.field)
        return await _form(request, platform, principal, form, status=error.status)
    return RedirectResponse(f"/payment/plans/{made.id}", 303)


@router.get("/plans/{plan_id}")
async def plan_page(plan_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One plan, and what the reader may do with it."""
    return await _plan(request, platform, principal, plan_id, forms.empty())


@router.post("/plans/{plan_id}")
async def step_plan(plan_id: Id, request: Request, platform: PlatformOf, principal: _Settler) -> Response:
    """Approve, refuse or withdraw it."""
    form = await forms.read(request, PlanStep)
    if form.value is None:
        return await _plan(request, platform, principal, plan_id, form, status=422)
    step, reason = form.value.step, form.value.reason
    require(request, principal, _STEPS[step])
    if step == "refuse" and reason is None:
        zh = language.of(request) == "zh"
        form.refuse("请填写退回原因" if zh else "Give a reason", "reason")
        return await _plan(request, platform, principal, plan_id, form, status=422)

    async def settle(cx: AsyncConnection) -> list[Plan]:
        if step == "refuse":
            return await plans.refuse(cx, principal, [plan_id], reason or "")
        return await (approving.approve if step == "approve" else plans.withdraw)(cx, principal, [plan_id])

    try:
        await desk.write(platform, principal, settle)
    except DeskError as error:
        form.refuse(error.text(request))
        return await _plan(request, platform, principal, plan_id, form, status=error.status)
    return RedirectResponse(f"/payment/plans/{plan_id}", 303)


def _steps(principal: Principal, plan: Plan) -> list[str]:
    """What ``principal`` may do with it."""
    if plan.state != "submitted":
        return []
    if plan.made_by == principal.actor:
        return ["withdraw"] if "payment.submit" in principal.permissions else []
    return ["approve", "refuse"] if "payment.review" in principal.permissions else []


async def _plan(
    request: Request,
    platform: Platform,
    principal: Principal,
    plan_id: int,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    found = await desk.look(request, platform, principal, lambda cx: plans.read(cx, plan_id))
    context = {
        "plan": found,
        "form": form,
        "steps": _steps(principal, found),
        "states": PLAN_STATES,
        "pay_types": PAY_TYPES,
        "zone": SHANGHAI,
    }
    return rendering.page(request, platform, "payment/plan.html", context, status)


async def _form(
    request: Request, platform: Platform, principal: Principal, form: Form[Any], *, status: int = 200
) -> Response:
    lang = language.of(request)
    also = choices.number(form.given.get("indicator_id", ""))
    offered = await platform.database.read(
        lambda cx: choices.indicators(cx, lang, also), token=principal.token
    )
    months = {n: f"{n}月" if lang == "zh" else str(n) for n in range(1, 13)}
    context = {
        "form": form,
        "indicators": offered,
        "months": months,
        "pay_types": forms.words(PAY_TYPES, request),
    }
    return rendering.page(request, platform, "payment/plan_form.html", context, status)
