"""Pages of sweeps: those there were, one of them, and the form that begins one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from jincai.monitoring.sweeps import api, runs, words
from jincai.monitoring.sweeps.asked import Handler, NumberPath, Reader, SweepForm
from jincai.monitoring.sweeps.walk import today
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import PageQuery
from jincai.platform import Platform, PlatformOf
from jincai.standards.answers import refusals, said
from jincai.standards.editions import RefusedError

router = APIRouter(prefix="/monitor/sweeps", include_in_schema=False, default_response_class=HTMLResponse)

# A page looks again so often while something runs.
REFRESH_SECONDS = 3


class SweepsAddress(PageQuery, PageAddress):
    """Which part of the list."""


@router.get("")
async def sweeps_page(
    request: Request, asked: Annotated[SweepsAddress, Query()], platform: PlatformOf, principal: Reader
) -> Response:
    """The sweeps, newest first, and the form for another."""
    day = today().isoformat()
    return await _page(request, platform, principal.token, asked, forms.empty(from_day=day, to_day=day))


@router.post("")
async def begin(request: Request, platform: PlatformOf, principal: Handler) -> Response:
    """Begin a sweep; the same page with what is wrong otherwise."""
    form = await forms.read(request, SweepForm)
    status = 422
    if form.value:
        try:
            begun = await api.begin_sweep(platform, principal, form.value.asked())
            return RedirectResponse(f"/monitor/sweeps/{begun.id}", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
            status = error.status
    return await _page(request, platform, principal.token, SweepsAddress(), form, status=status)


@router.get("/{number}")
async def sweep_page(
    request: Request, number: NumberPath, platform: PlatformOf, principal: Reader
) -> Response:
    """One sweep with its progress by division."""
    with refusals(request):
        found = await platform.database.read(lambda cx: runs.get(cx, number), token=principal.token)
    context = {"one": found, "states": words.STATES, "subjects": words.SUBJECTS, "refresh": REFRESH_SECONDS}
    return rendering.page(request, platform, "sweep.html", context)


@router.post("/{number}/cancel")
async def cancel(request: Request, number: NumberPath, platform: PlatformOf, principal: Handler) -> Response:
    """Stop it."""
    with refusals(request):
        await platform.database.write(
            lambda cx: runs.cancel(cx, number), token=principal.token, repeatable=True
        )
    return RedirectResponse(f"/monitor/sweeps/{number}", 303)


async def _page(
    request: Request,
    platform: Platform,
    token: str,
    asked: SweepsAddress,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    found = await platform.database.read(lambda cx: runs.find(cx, asked), token=token)
    context = {
        "page": found,
        "form": form,
        "states": words.STATES,
    }
    return rendering.page(request, platform, "sweeps.html", context, status)
