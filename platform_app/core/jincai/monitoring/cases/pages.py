"""Pages of cases: the worklists, taking, and one case with what its reader may do."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, TypeAdapter, ValidationError

from jincai import language
from jincai.auth.principal import Principal
from jincai.monitoring.cases import asked as ask
from jincai.monitoring.cases import attachments, case, deadlines, desk, moves, showing, tables, worklist
from jincai.monitoring.cases.asked import Anybody, Handler, IdPath, OfficeMove, Reader
from jincai.monitoring.cases.case import Case
from jincai.monitoring.cases.states import CaseError
from jincai.monitoring.cases.tables import CASES, LISTS
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.paging import Page
from jincai.platform import Platform, PlatformOf
from jincai.tables import EXPORT_MOST

router = APIRouter(prefix="/monitor/cases", include_in_schema=False, default_response_class=HTMLResponse)

_MOVE: TypeAdapter[ask.Move] = TypeAdapter(OfficeMove)
_KINDS: dict[str, type[ask.Move]] = {
    "note": ask.Note,
    "inquire": ask.Inquire,
    "conclude": ask.Conclude,
    "order": ask.Order,
    "reopen": ask.Reopen,
    "close": ask.Close,
    "escalate": ask.Escalate,
    "hand_over": ask.HandOver,
    "take_over": ask.TakeOver,
    "hand_down": ask.HandDown,
    "snooze": ask.Snooze,
    "wake": ask.Wake,
}


@router.get("")
async def cases_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """A worklist, with how many are on each."""
    usual = "mine" if "monitor.handle" in principal.permissions else "all"
    asked = showing.asked(request, CASES, list=usual)

    async def find(cx: AsyncConnection) -> tuple[int, list[Any], dict[str, int], int]:
        total = await CASES.count(cx, asked)
        if asked.format == "xlsx":
            showing.refuse_too_many(request, total)
            whole = asked.model_copy(update={"offset": 0})
            return total, await CASES.find(cx, whole, EXPORT_MOST), {}, 0
        rows = await CASES.find(cx, asked, asked.limit)
        return total, rows, await tables.counts(cx), await worklist.waiting(cx)

    total, rows, counts, free = await platform.database.read(find, token=principal.token)
    if asked.format == "xlsx":
        return await showing.file(request, CASES, rows)
    context = {
        "page": Page[Any](items=[], total=total, limit=asked.limit, offset=asked.offset),
        "rows": rows,
        "asked": asked.model_dump(),
        "table": CASES,
        "lists": LISTS,
        "counts": counts,
        "free": free,
    }
    return rendering.page(request, platform, "cases.html", context)


@router.post("/take-next")
async def take_next(request: Request, platform: PlatformOf, principal: Handler) -> Response:
    """领取下一件."""
    try:
        found = await desk.take_next(platform, principal)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error
    return RedirectResponse(f"/monitor/cases/{found}" if found else "/monitor/cases", 303)


@router.post("/take")
async def take(request: Request, platform: PlatformOf, principal: Handler) -> Response:
    """领取 one alert, from its page."""
    form = await forms.read(request, TakeForm)
    if form.value is None:
        raise HTTPException(422, "; ".join(form.errors.values()))
    try:
        found = await desk.take(platform, principal, form.value.alert_id)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error
    return RedirectResponse(f"/monitor/cases/{found}", 303)


class TakeForm(BaseModel):
    """Which alert."""

    alert_id: ask.Id


@router.get("/{case_id}")
async def case_page(case_id: IdPath, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One case: its alerts, its trail, and what the reader may do now."""
    return await _page(request, platform, principal, case_id, forms.empty())


@router.post("/{case_id}")
async def move(case_id: IdPath, request: Request, platform: PlatformOf, principal: Handler) -> Response:
    """One move; the same page with what is wrong otherwise."""
    form: Form[Any] = await forms.read(request, _Anything)
    status = 422
    try:
        filled = {name: value for name, value in form.given.items() if value != ""}
        asked = _MOVE.validate_python(filled)
        await desk.require_person(platform, principal, case_id, asked)
        await desk.write(platform, principal, lambda cx: moves.make(cx, principal, case_id, asked))
        return RedirectResponse(f"/monitor/cases/{case_id}", 303)
    except ValidationError as error:
        showing.mistaken(request, form, error)
    except CaseError as error:
        form.refuse(error.text(request), error.field)
        status = error.status
    if status == 404:
        raise HTTPException(404, form.errors[""])
    return await _page(request, platform, principal, case_id, form, status=status)


class _Anything(BaseModel):
    """A form whose kind of move is not known yet."""


@router.get("/{case_id}/attachments/{attachment_id}", response_class=Response)
async def attachment(
    case_id: IdPath, attachment_id: IdPath, request: Request, platform: PlatformOf, principal: Anybody
) -> Response:
    """附件, as a download."""
    found = await desk.look(
        request, platform, principal, lambda cx: attachments.read(cx, case_id, attachment_id)
    )
    return attachments.download(found)


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    case_id: int,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    async def look(cx: AsyncConnection) -> tuple[Case, dict[deadlines.Step, int]]:
        found = await case.read(cx, case_id)
        return found, await deadlines.days_of(cx, found.level)

    found, days = await desk.look(request, platform, principal, look)
    conclusions = {"normal": ("正常", "Normal"), "violation": ("违规", "Violation")}
    if found.asked_at is None:
        del conclusions["violation"]
    if found.state == "inquired":
        del conclusions["normal"]
    context = {
        "one": found,
        "form": form,
        # Only the form that was sent shows what was sent.
        "sent": form.given.get("move", ""),
        "blank": forms.empty(),
        # What the site usually gives a unit.
        "usual": {
            "inquire": forms.empty(days=str(days["inquiry"])),
            "order": forms.empty(days=str(days["rectification"])),
        },
        "may_make": {name for name, kind in _KINDS.items() if moves.may_make(kind, found, principal)},
        "own_violation": found.conclusion == "violation" and found.concluded_by == principal.actor,
        "place": showing.place(found, principal),
        "offered": forms.words(conclusions, request),
        "zh": language.of(request) == "zh",
        **showing.WORDS,
    }
    return rendering.page(request, platform, "case.html", context, status)
