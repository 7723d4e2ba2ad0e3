"""Pages for a unit's people: what they were asked, and the form that answers."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection
from pydantic import TypeAdapter, ValidationError

from jincai.auth.principal import Principal
from jincai.monitoring.cases import api, attachments, case, desk, showing
from jincai.monitoring.cases.asked import IdPath, Reply, Report, Unit, UnitMove
from jincai.monitoring.cases.states import CaseError
from jincai.monitoring.cases.tables import INQUIRIES
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.paging import Page
from jincai.platform import Platform, PlatformOf
from jincai.tables import EXPORT_MOST

router = APIRouter(prefix="/monitor/inquiries", include_in_schema=False, default_response_class=HTMLResponse)
_MOVE: TypeAdapter[Reply | Report] = TypeAdapter(UnitMove)


@router.get("")
async def inquiries_page(request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """What the unit was asked, what is overdue first."""
    asked = showing.asked(request, INQUIRIES)

    async def find(cx: AsyncConnection) -> tuple[int, list[Any]]:
        total = await INQUIRIES.count(cx, asked)
        if asked.format == "xlsx":
            showing.refuse_too_many(request, total)
            whole = asked.model_copy(update={"offset": 0})
            return total, await INQUIRIES.find(cx, whole, EXPORT_MOST)
        return total, await INQUIRIES.find(cx, asked, asked.limit)

    total, rows = await platform.database.read(find, token=principal.token)
    if asked.format == "xlsx":
        return await showing.file(request, INQUIRIES, rows)
    context = {
        "page": Page[Any](items=[], total=total, limit=asked.limit, offset=asked.offset),
        "rows": rows,
        "asked": asked.model_dump(),
        "table": INQUIRIES,
    }
    return rendering.page(request, platform, "inquiries.html", context)


@router.get("/{case_id}")
async def inquiry_page(case_id: IdPath, request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """One inquiry, with what was said, and the form that answers it."""
    return await _page(request, platform, principal, case_id, forms.empty())


@router.post("/{case_id}")
async def answer(case_id: IdPath, request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """答复 or the report of the rectification; the same page with what is wrong otherwise."""
    fields, files = await attachments.read_form(request)
    form: Form[Any] = Form(given={**fields})
    status = 422
    try:
        asked = _MOVE.validate_python({name: value for name, value in fields.items() if value != ""})
        await api.answered(platform, principal, case_id, asked, files)
        return RedirectResponse(f"/monitor/inquiries/{case_id}", 303)
    except ValidationError as error:
        showing.mistaken(request, form, error)
    except CaseError as error:
        form.refuse(error.text(request), error.field)
        status = error.status
    if status == 404:
        raise HTTPException(404, form.errors[""])
    return await _page(request, platform, principal, case_id, form, status=status)


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    case_id: int,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    found = await desk.look(request, platform, principal, lambda cx: case.read(cx, case_id, as_unit=True))
    context = {"one": found, "form": form, "place": showing.place(found, principal), **showing.WORDS}
    return rendering.page(request, platform, "inquiry.html", context, status)
