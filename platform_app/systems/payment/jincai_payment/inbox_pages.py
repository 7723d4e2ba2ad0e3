"""待办: the page of everything that waits for the present user, to be approved or returned at once."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment import approving, desk, inbox, moves, plans, signing
from jincai_payment.application_api import said
from jincai_payment.desk import CHOSEN_MOST, DeskError, Id, Reason
from jincai_payment.desk_api import Checker, Reader
from jincai_payment.inbox import Inbox
from jincai_payment.signing import Signed
from jincai_payment.words import ASKED_KINDS, PAY_TYPES

router = APIRouter(prefix="/payment", include_in_schema=False)

_Chosen = Annotated[list[Id], Field(max_length=CHOSEN_MOST)]
_SECTIONS = frozenset({"plans", "review", "sign"})
_NEEDS = {"plans": "payment.review", "review": "payment.review", "sign": "payment.post"}


class InboxForm(BaseModel):
    """What was chosen of each section, and what is to be done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plans: _Chosen = []
    review: _Chosen = []
    sign: _Chosen = []
    step: Literal["approve", "return"]
    reason: Reason | None = None


class InboxAddress(PageAddress):
    """The inbox's address; ``done`` says how many were just done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    done: int | None = Field(default=None, ge=0, le=10**4)


@router.get("/inbox")
async def inbox_page(
    request: Request, platform: PlatformOf, principal: Reader, asked: Annotated[InboxAddress, Query()]
) -> Response:
    """Everything that waits for the reader."""
    return await _page(request, platform, principal, forms.empty(), done=asked.done)


@router.post("/inbox")
async def settle(request: Request, platform: PlatformOf, principal: Checker) -> Response:
    """Approve or return what was chosen; each section is a transaction of its own."""
    form = await forms.read(request, InboxForm, several=_SECTIONS)
    if form.value is None:
        return await _page(request, platform, principal, form, status=422)
    if mistake := _mistake(form.value, principal, request):
        form.refuse(*mistake)
        return await _page(request, platform, principal, form, status=422)
    done, refusals = await _settled(request, platform, principal, form.value)
    if refusals:
        form.given = {}
        form.errors[""] = " ".join(refusals)
        return await _page(request, platform, principal, form, done=done, status=409)
    return RedirectResponse(f"/payment/inbox?done={done}", 303)


def _mistake(asked: InboxForm, principal: Principal, request: Request) -> tuple[str, str] | None:
    """What is wrong with the form, and in which field."""
    zh = language.of(request) == "zh"
    chosen = [name for name in sorted(_SECTIONS) if getattr(asked, name)]
    if not chosen:
        return "请至少选择一项" if zh else "Choose at least one", ""
    if any(_NEEDS[name] not in principal.permissions for name in chosen):
        return "您没有这一步的权限" if zh else "You may not do this step", ""
    if asked.step == "return" and asked.reason is None:
        return "请填写退回原因" if zh else "Give a reason to return them", "reason"
    return None


async def _settled(
    request: Request, platform: Platform, principal: Principal, asked: InboxForm
) -> tuple[int, list[str]]:
    """How many were done, and why others were not."""
    done, refusals = 0, []
    for ids, work in _works(principal, asked):
        if not ids:
            continue
        try:
            answers = await desk.write(platform, principal, work)
        except DeskError as error:
            refusals.append(error.text(request))
            continue
        not_signed = [one for one in answers if isinstance(one, Signed) and not one.signed]
        refusals += [f"{one.id}: {said(one, request)}" for one in not_signed]
        done += len(answers) - len(not_signed)
    return done, refusals


_Work = Callable[[AsyncConnection], Awaitable[list[Any]]]


def _works(principal: Principal, asked: InboxForm) -> list[tuple[list[int], _Work]]:
    why = asked.reason or ""
    if asked.step == "return":
        returned = sorted({*asked.review, *asked.sign})
        return [
            (asked.plans, lambda cx: plans.refuse(cx, principal, asked.plans, why)),
            (returned, lambda cx: moves.move(cx, principal, returned, "return", why)),
        ]
    return [
        (asked.plans, lambda cx: approving.approve(cx, principal, asked.plans)),
        (asked.review, lambda cx: moves.move(cx, principal, asked.review, "review")),
        (asked.sign, lambda cx: signing.sign(cx, principal, asked.sign)),
    ]


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    form: Form[Any],
    *,
    done: int | None = None,
    status: int = 200,
) -> Response:
    found: Inbox = await platform.database.read(lambda cx: inbox.read(cx, principal), token=principal.token)
    context = {
        "inbox": found,
        "form": form,
        "done": done,
        "pay_types": PAY_TYPES,
        "kinds": ASKED_KINDS,
        "most": inbox.SHOWN_MOST,
    }
    return rendering.page(request, platform, "payment/inbox.html", context, status)
