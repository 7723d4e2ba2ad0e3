"""Pages of orders that rules stopped: the list, and one with its rules, to be released or rejected."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal
from jincai.identity import SHANGHAI
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai_payment import desk, held, held_tables
from jincai_payment.desk import DeskError, Id, Reason
from jincai_payment.desk_api import Reader
from jincai_payment.held_api import Releaser
from jincai_payment.held_tables import ANY_STATE, STATES
from jincai_payment.order import Decision
from jincai_payment.words import REFUSALS

router = APIRouter(prefix="/payment/held", include_in_schema=False)

_LEVELS = {"yellow": ("黄色", "Yellow"), "orange": ("橙色", "Orange"), "red": ("红色", "Red")}
_DISPOSALS = {
    "record": ("记录", "Record"),
    "warn": ("预警(无需附件)", "Warn"),
    "warn_with_attachment": ("预警(需附件)", "Warn, evidence needed"),
    "hold": ("拦截", "Hold"),
    "forbid": ("禁止", "Forbid"),
}


class HeldStep(BaseModel):
    """What is to be done with a held order, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Literal["release", "reject"]
    reason: Reason


@router.get("")
async def held_page(request: Request, platform: PlatformOf, _: Reader) -> Response:
    """Stopped orders of one division in one fiscal year; those that wait unless asked otherwise."""
    asked = request.query_params
    if asked.get("fiscal_year") and not asked.get("state"):
        state = ANY_STATE if "state" in asked else "held"
        return RedirectResponse(f"/payment/held?{request.url.include_query_params(state=state).query}", 303)
    return await listing.answer(
        request,
        platform,
        table=held_tables.HELD,
        title=("拦截", "Held payments"),
        permission="payment.read",
    )


@router.get("/{held_id}")
async def held_order_page(held_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One stopped order, the rules that stopped it, and what the reader may do with it."""
    return await _page(request, platform, principal, held_id, forms.empty())


@router.post("/{held_id}")
async def decide(held_id: Id, request: Request, platform: PlatformOf, principal: Releaser) -> Response:
    """Release or reject it."""
    form = await forms.read(request, HeldStep)
    if form.value is None:
        if "reason" in form.errors and not str(form.given.get("reason", "")).strip():
            form.errors["reason"] = "请填写理由" if language.of(request) == "zh" else "Give a reason"
        return await _page(request, platform, principal, held_id, form, status=422)
    asked = form.value

    async def settle(cx: AsyncConnection) -> Decision | None:
        if asked.step == "release":
            return await held.release(cx, principal, held_id, asked.reason)
        await held.reject(cx, principal, held_id, asked.reason)
        return None

    try:
        decision = await desk.write(platform, principal, settle)
    except DeskError as error:
        form.refuse(error.text(request))
        return await _page(request, platform, principal, held_id, form, status=error.status)
    if decision and decision.outcome != "posted":
        form.refuse(_still(request, decision))
        return await _page(request, platform, principal, held_id, form, status=409)
    return RedirectResponse(f"/payment/held/{held_id}", 303)


def _still(request: Request, decision: Decision) -> str:
    """Why a released order is not paid yet: a rule that came later."""
    reason = decision.reason or decision.outcome
    text = REFUSALS.get(reason, (reason, reason))[0 if language.of(request) == "zh" else 1]
    return f"{', '.join(decision.rules)}: {text}" if decision.rules else text


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    held_id: int,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    found = await desk.look(request, platform, principal, lambda cx: held_tables.read(cx, held_id))
    context = {
        "one": found,
        "form": form,
        "may_decide": found.state == "held" and "monitor.release" in principal.permissions,
        "own": found.asked_by == principal.actor,
        "states": STATES,
        "levels": _LEVELS,
        "disposals": _DISPOSALS,
        "zone": SHANGHAI,
    }
    return rendering.page(request, platform, "payment/held.html", context, status)
