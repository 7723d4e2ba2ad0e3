"""The page of one voucher, where its red correction is asked for."""

import datetime as dt
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from jincai.auth.principal import Principal, may
from jincai.identity import SHANGHAI
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.platform import Platform, PlatformOf

from jincai_ledger import red, voucher
from jincai_ledger.draft_documents import Number, RedDocument
from jincai_ledger.refusal import answered
from jincai_ledger.words import SOURCES

router = APIRouter(prefix="/ledger/vouchers", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("ledger.read"))]
_Maker = Annotated[Principal, Depends(may("ledger.draft"))]


@router.get("/{number}")
async def voucher_page(
    request: Request, number: Number, platform: PlatformOf, principal: _Reader
) -> Response:
    """One voucher: lines with names, people, what it undoes, where it comes from."""
    today = dt.datetime.now(SHANGHAI).date().isoformat()
    form = Form[RedDocument](given={"idempotency_key": secrets.token_urlsafe(18), "vou_date": today})
    return await _page(request, platform, principal, number, form)


@router.post("/{number}/red")
async def ask_red(request: Request, number: Number, platform: PlatformOf, principal: _Maker) -> Response:
    """Ask for the red correction; to its draft."""
    form = await forms.read(request, RedDocument)
    given = form.value
    if given is None:
        return await _page(request, platform, principal, number, form)
    work = platform.database.write(
        lambda cx: red.request(
            cx,
            number,
            vou_date=given.vou_date,
            summary=given.summary,
            key=given.idempotency_key,
            by=principal.actor,
        ),
        token=principal.token,
        repeatable=True,
    )
    return RedirectResponse(f"/ledger/drafts/{await answered(request, work)}", 303)


async def _page(
    request: Request, platform: Platform, principal: Principal, number: int, form: Form[RedDocument]
) -> Response:
    work = platform.database.read(lambda cx: voucher.get(cx, number), token=principal.token)
    found = await answered(request, work)
    context = {
        "voucher": found,
        "form": form,
        "sources": SOURCES,
        "shanghai": SHANGHAI,
        "may_undo": "ledger.draft" in principal.permissions
        and found.undone_by is None
        and found.source not in red.NOT_HERE,
    }
    return rendering.page(request, platform, "ledger/voucher.html", context, 422 if form.errors else 200)
