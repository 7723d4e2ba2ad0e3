"""Pages of the bank's side: instructions, discrepancies, and one of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal, may
from jincai.identity import SHANGHAI
from jincai.pages import forms, listing, rendering
from jincai.pages.forms import Form
from jincai.platform import PlatformOf
from pydantic import BaseModel

from jincai_payment.bank import discrepancies
from jincai_payment.bank.api import Number, Settled
from jincai_payment.bank.lists import DISCREPANCIES, INSTRUCTIONS, OUTCOMES
from jincai_payment.bank.refused import RefusedError, or_http
from jincai_payment.words import BANK_STATES

router = APIRouter(prefix="/payment/bank", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("payment.read"))]
_Maker = Annotated[Principal, Depends(may("payment.review"))]


@router.get("")
async def instructions_page(request: Request, platform: PlatformOf) -> Response:
    """Payments on their way to the bank, with what it answered."""
    return await listing.answer(
        request,
        platform,
        table=INSTRUCTIONS,
        title=("银行支付指令", "Bank instructions"),
        permission="payment.read",
        actions=(
            ("回单差异", "Discrepancies", "/payment/bank/discrepancies"),
            ("清算与零余额检查", "Clearing", "/payment/clearing"),
        ),
    )


@router.get("/discrepancies")
async def discrepancies_page(request: Request, platform: PlatformOf) -> Response:
    """Receipts that contradict what is known."""
    return await listing.answer(
        request,
        platform,
        table=DISCREPANCIES,
        title=("回单差异", "Discrepancies"),
        permission="payment.read",
        actions=(("银行支付指令", "Bank instructions", "/payment/bank"),),
    )


@router.get("/discrepancies/{number}")
async def discrepancy_page(
    number: Number, request: Request, platform: PlatformOf, principal: _Reader
) -> HTMLResponse:
    """One discrepancy, and how it was settled or a form to say so."""
    return await _discrepancy(request, platform, principal, number=number, form=forms.empty())


@router.post("/discrepancies/{number}")
async def settle(number: Number, request: Request, platform: PlatformOf, principal: _Maker) -> Response:
    """Settle it, and show the same page again."""
    form = await forms.read(request, Settled)
    if form.value is not None:
        note = form.value.note
        try:
            await platform.database.write(
                lambda cx: discrepancies.settle(cx, number, note, principal.actor),
                token=principal.token,
                repeatable=True,
            )
        except RefusedError as error:
            form.refuse(error.zh if language.of(request) == "zh" else error.en)
        else:
            return RedirectResponse(f"/payment/bank/discrepancies/{number}", 303)
    return await _discrepancy(request, platform, principal, number=number, form=form, status=422)


async def _discrepancy(
    request: Request,
    platform: PlatformOf,
    principal: Principal,
    *,
    number: int,
    form: Form[BaseModel] | Form[Settled],
    status: int = 200,
) -> HTMLResponse:
    found = await or_http(
        request, platform.database.read(lambda cx: discrepancies.one(cx, number), token=principal.token)
    )
    context = {
        "one": found,
        "form": form,
        "problems": discrepancies.PROBLEMS,
        "outcomes": OUTCOMES,
        "states": BANK_STATES,
        "may_settle": "payment.review" in principal.permissions,
        "told_at": found.told_at.astimezone(SHANGHAI),
    }
    return rendering.page(request, platform, "payment/discrepancy.html", context, status)
