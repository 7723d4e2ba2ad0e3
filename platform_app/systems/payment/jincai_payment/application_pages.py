"""Pages of applications: the list, one with its trail, and what may be done with it."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal, require
from jincai.identity import SHANGHAI
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form
from jincai.platform import Platform, PlatformOf
from pydantic import BaseModel, ConfigDict

from jincai_payment import applications, desk, desk_tables, moves, signing
from jincai_payment.application import Trail
from jincai_payment.application_api import said
from jincai_payment.desk import DeskError, Id, Reason
from jincai_payment.desk_api import Clerk, Reader
from jincai_payment.words import APPLICATION_STATES, BANK_STATES, KINDS, REFUSALS, STEPS

router = APIRouter(prefix="/payment/applications", include_in_schema=False)

Step = Literal["submit", "review", "sign", "return", "void"]


class ApplicationStep(BaseModel):
    """What is to be done with an application."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Step
    reason: Reason | None = None


_NEEDS: dict[Step, str] = {
    "submit": "payment.submit",
    "review": "payment.review",
    "sign": "payment.post",
    # Whoever has the step that it waits for; `moves` looks closer.
    "return": "payment.read",
    "void": "payment.submit",
}


@router.get("")
async def applications_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """Applications of one division in one fiscal year."""
    new = ("新增支付申请", "Apply for a payment", "/payment/applications/new")
    return await listing.answer(
        request,
        platform,
        table=desk_tables.APPLICATIONS,
        title=("支付申请", "Applications"),
        permission="payment.read",
        actions=(new,) if "payment.submit" in principal.permissions else (),
    )


@router.get("/{application_id}")
async def application_page(
    application_id: Id, request: Request, platform: PlatformOf, principal: Reader
) -> Response:
    """One application with its trail, and what the reader may do with it."""
    return await _page(request, platform, principal, application_id, forms.empty())


@router.post("/{application_id}")
async def step_application(
    application_id: Id, request: Request, platform: PlatformOf, principal: Clerk
) -> Response:
    """Submit, review, sign, return or void it."""
    form = await forms.read(request, ApplicationStep)
    if form.value is None:
        return await _page(request, platform, principal, application_id, form, status=422)
    step, reason = form.value.step, form.value.reason
    require(request, principal, _NEEDS[step])
    if step in {"return", "void"} and reason is None:
        zh = language.of(request) == "zh"
        form.refuse("请填写原因" if zh else "Give a reason", "reason")
        return await _page(request, platform, principal, application_id, form, status=422)
    try:
        refused = await _take(request, platform, principal, application_id, step, reason=reason or "")
    except DeskError as error:
        form.refuse(error.text(request))
        return await _page(request, platform, principal, application_id, form, status=error.status)
    if refused:
        return await _page(request, platform, principal, application_id, form.refuse(refused), status=409)
    return RedirectResponse(f"/payment/applications/{application_id}", 303)


async def _take(
    request: Request, platform: Platform, principal: Principal, number: int, step: Step, *, reason: str
) -> str:
    """Do it; why it was refused, if posting refused it."""
    if step == "sign":
        (one,) = await desk.write(platform, principal, lambda cx: signing.sign(cx, principal, [number]))
        return said(one, request)
    await desk.write(platform, principal, lambda cx: moves.move(cx, principal, [number], step, reason))
    return ""


def _steps(principal: Principal, found: Trail) -> list[str]:
    """What ``principal`` may do with it now, the usual step first."""
    may = {one for one in ("submit", "review", "post") if f"payment.{one}" in principal.permissions}
    wrote = any(
        one.by_whom == principal.actor and one.action in {"made", "edited", "submitted"}
        for one in found.steps
    )
    steps: list[str] = []
    if "submit" in may and found.state in {"draft", "returned"}:
        steps += ["submit", "edit"]
    if "review" in may and found.state == "submitted":
        steps += ["return"] if wrote else ["review", "return"]
    if "post" in may and found.state == "reviewed":
        steps += ["return"] if wrote or found.reviewed_by == principal.actor else ["sign", "return"]
    if "submit" in may and found.state not in {"signed", "void"}:
        steps.append("void")
    return steps


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    application_id: int,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    found = await desk.look(request, platform, principal, lambda cx: applications.read(cx, application_id))
    context = {
        "one": found,
        "form": form,
        "steps": _steps(principal, found),
        "states": APPLICATION_STATES,
        "bank_states": BANK_STATES,
        "kinds": KINDS,
        "actions": STEPS,
        "refusals": REFUSALS,
        "zone": SHANGHAI,
    }
    return rendering.page(request, platform, "payment/application.html", context, status)
