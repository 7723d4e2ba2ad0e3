"""The page of the daily clearing: the zero-balance check of a day, its sheets, and the two steps."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import BooksQuery, DivisionCode, Page, Year
from jincai.platform import PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment.bank import clearing, zero
from jincai_payment.bank.clearing import STATES, Clearing, Day
from jincai_payment.bank.clearing_api import Checker, Maker, Number, Reader, find
from jincai_payment.bank.refused import RefusedError
from jincai_payment.words import PAY_TYPES

router = APIRouter(prefix="/payment/clearing", include_in_schema=False)

SHEETS = 50
_DAY = Annotated[dt.date, Field(ge=dt.date(1949, 1, 1))]


class Address(PageAddress):
    """Which division and day; without them only the question is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    day: _DAY | None = None


@router.get("")
async def clearing_page(
    asked: Annotated[Address, Query()], request: Request, platform: PlatformOf, principal: Reader
) -> HTMLResponse:
    """A day's zero-balance accounts and the clearing sheets of the year."""
    return await _page(request, platform, principal, asked=_asked(asked), form=forms.empty(pay_type="direct"))


@router.post("")
async def draw(request: Request, platform: PlatformOf, principal: Maker) -> Response:
    """Draw up a sheet, and show it in the list."""
    form = await forms.read(request, Day)
    if form.value is None:
        return await _page(request, platform, principal, asked=None, form=form, status=422)
    day = form.value
    asked = zero.Asked(fiscal_year=day.fiscal_year, division=day.division, day=day.clearing_date)
    try:
        await platform.database.write(
            lambda cx: clearing.draw(cx, day, principal.actor), token=principal.token, repeatable=True
        )
    except RefusedError as error:
        form.refuse(_text(request, error))
        return await _page(request, platform, principal, asked=asked, form=form, status=422)
    return RedirectResponse(_address(asked), 303)


@router.post("/{number}/confirm")
async def confirm(number: Number, request: Request, platform: PlatformOf, principal: Checker) -> Response:
    """Confirm and book a sheet."""
    return await _step(request, platform, principal, number=number, step=clearing.confirm)


@router.post("/{number}/withdraw")
async def withdraw(number: Number, request: Request, platform: PlatformOf, principal: Maker) -> Response:
    """Take a sheet back."""
    return await _step(request, platform, principal, number=number, step=clearing.withdraw)


async def _step(
    request: Request,
    platform: PlatformOf,
    principal: Principal,
    *,
    number: int,
    step: Callable[[AsyncConnection, int, str], Awaitable[Clearing]],
) -> Response:
    form = await forms.read(request, zero.Asked)
    asked = form.value
    if asked is None:
        return await _page(request, platform, principal, asked=None, form=form, status=422)
    try:
        await platform.database.write(
            lambda cx: step(cx, number, principal.actor), token=principal.token, repeatable=True
        )
    except RefusedError as error:
        form.refuse(_text(request, error))
    except psycopg.Error as error:
        if error.sqlstate not in {"JC003", "JC004"}:
            raise
        form.refuse(error.diag.message_primary or "")
    else:
        return RedirectResponse(_address(asked), 303)
    return await _page(request, platform, principal, asked=asked, form=form, status=422)


async def _page(
    request: Request,
    platform: PlatformOf,
    principal: Principal,
    *,
    asked: zero.Asked | None,
    form: Form[BaseModel] | Form[Day] | Form[zero.Asked],
    status: int = 200,
) -> HTMLResponse:
    async def ask(cx: AsyncConnection) -> tuple[zero.Report | None, Page[Clearing] | None]:
        if asked is None:
            return None, None
        books = BooksQuery(fiscal_year=asked.fiscal_year, division=asked.division, limit=SHEETS)
        return await zero.report(cx, asked), await find(cx, books)

    report, sheets = await platform.database.read(ask, token=principal.token)
    context = {
        "asked": asked,
        "report": report,
        "sheets": sheets,
        "form": form,
        "names": zero.NAMES,
        "pay_types": PAY_TYPES,
        "choices": forms.words(PAY_TYPES, request),
        "states": STATES,
    }
    return rendering.page(request, platform, "payment/clearing.html", context, status)


def _asked(address: Address) -> zero.Asked | None:
    if address.fiscal_year is None or address.division is None or address.day is None:
        return None
    return zero.Asked(fiscal_year=address.fiscal_year, division=address.division, day=address.day)


def _address(asked: zero.Asked) -> str:
    return f"/payment/clearing?{urlencode(asked.model_dump())}"


def _text(request: Request, error: RefusedError) -> str:
    return error.zh if language.of(request) == "zh" else error.en
