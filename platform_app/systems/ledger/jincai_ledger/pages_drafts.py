"""Pages of one draft: the form of a manual voucher, and what its maker and its checker do with it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal, may
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, Year, this_year
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection

from jincai_ledger import draft_list, drafts, voucher_form
from jincai_ledger.draft_documents import Number, ReturnDocument
from jincai_ledger.draft_list import Draft
from jincai_ledger.drafts import Wanted
from jincai_ledger.refusal import RefusedError, answered, of_database
from jincai_ledger.voucher_form import COLUMNS, ROWS, ROWS_MORE, VoucherForm
from jincai_ledger.words import KINDS, STATES

router = APIRouter(prefix="/ledger/drafts", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("ledger.read"))]
_Maker = Annotated[Principal, Depends(may("ledger.draft"))]
_Checker = Annotated[Principal, Depends(may("ledger.book"))]


class NewAddress(PageAddress):
    """Which books a new voucher is for."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None


@router.get("/new")
async def new_draft(
    request: Request, platform: PlatformOf, asked: Annotated[NewAddress, Query()], principal: _Maker
) -> Response:
    """An empty form; without a division the maker's own, if there is only one."""
    own = principal.divisions or ()
    division = asked.division or (own[0] if len(own) == 1 else "")
    form = voucher_form.blank(asked.fiscal_year or this_year(), division)
    return _form_page(request, platform, form, None)


@router.post("/new")
async def submit(request: Request, platform: PlatformOf, principal: _Maker) -> Response:
    """Hand the form to a checker; again with what is wrong beside its field."""
    form = await forms.read(request, VoucherForm, several=frozenset(COLUMNS))

    async def work(cx: AsyncConnection, wanted: Wanted) -> int:
        return await drafts.submit(cx, wanted, principal.actor)

    return await _save(request, platform, principal, form, number=None, work=work)


@router.get("/{number}/edit")
async def edit(request: Request, number: Number, platform: PlatformOf, principal: _Maker) -> Response:
    """The form as the draft stands."""
    draft = await _read(request, platform, principal, number)
    return _form_page(request, platform, voucher_form.of_draft(draft), number)


@router.post("/{number}/edit")
async def revise(request: Request, number: Number, platform: PlatformOf, principal: _Maker) -> Response:
    """Replace what the draft says and hand it to a checker again."""
    form = await forms.read(request, VoucherForm, several=frozenset(COLUMNS))

    async def work(cx: AsyncConnection, wanted: Wanted) -> int:
        await drafts.revise(cx, number, wanted, principal.actor)
        return number

    return await _save(request, platform, principal, form, number=number, work=work)


@router.get("/{number}")
async def draft_page(request: Request, number: Number, platform: PlatformOf, principal: _Reader) -> Response:
    """One draft, with what the reader may do with it."""
    draft = await _read(request, platform, principal, number)
    return _draft_page(request, platform, principal, draft, Form[ReturnDocument]())


@router.post("/{number}/book")
async def book(request: Request, number: Number, platform: PlatformOf, principal: _Checker) -> Response:
    """Book it; to the voucher."""
    work = platform.database.write(
        lambda cx: drafts.book(cx, number, principal.actor), token=principal.token, repeatable=True
    )
    return RedirectResponse(f"/ledger/vouchers/{await answered(request, work)}", 303)


@router.post("/{number}/return")
async def send_back(request: Request, number: Number, platform: PlatformOf, principal: _Checker) -> Response:
    """Return it with a reason."""
    form = await forms.read(request, ReturnDocument)
    given = form.value
    if given is None:
        draft = await _read(request, platform, principal, number)
        return _draft_page(request, platform, principal, draft, form)
    work = platform.database.write(
        lambda cx: drafts.send_back(cx, number, given.reason, principal.actor),
        token=principal.token,
        repeatable=True,
    )
    await answered(request, work)
    return RedirectResponse(f"/ledger/drafts/{number}", 303)


@router.post("/{number}/withdraw")
async def withdraw(request: Request, number: Number, platform: PlatformOf, principal: _Maker) -> Response:
    """Take it back."""
    work = platform.database.write(
        lambda cx: drafts.withdraw(cx, number, principal.actor), token=principal.token, repeatable=True
    )
    await answered(request, work)
    return RedirectResponse(f"/ledger/drafts/{number}", 303)


async def _read(request: Request, platform: Platform, principal: Principal, number: int) -> Draft:
    work = platform.database.read(lambda cx: draft_list.get(cx, number), token=principal.token)
    return await answered(request, work)


async def _save(
    request: Request,
    platform: Platform,
    principal: Principal,
    form: Form[VoucherForm],
    *,
    number: int | None,
    work: Callable[[AsyncConnection, Wanted], Awaitable[int]],
) -> Response:
    if form.given.get("more"):  # more rows were asked for, nothing is to be saved
        form.errors.clear()
        return _form_page(request, platform, form, number, more=ROWS_MORE)
    wanted = voucher_form.wanted_of(form, language.of(request))
    if wanted is not None:
        try:
            made = await platform.database.write(
                lambda cx: work(cx, wanted), token=principal.token, repeatable=True
            )
            return RedirectResponse(f"/ledger/drafts/{made}", 303)
        except (RefusedError, psycopg.Error) as error:
            refused = error if isinstance(error, RefusedError) else of_database(error)
            if refused is None:
                raise
            form.refuse(refused.chinese if language.of(request) == "zh" else refused.english)
    return _form_page(request, platform, form, number)


def _form_page(
    request: Request, platform: Platform, form: Form[VoucherForm], number: int | None, *, more: int = 0
) -> Response:
    written = len(voucher_form.rows_of(form, 0))
    rows = voucher_form.rows_of(form, max(ROWS, written + more))
    context = {
        "form": form,
        "rows": rows,
        "sums": voucher_form.sums_of(rows),
        "number": number,
        "kinds": forms.words({kind: KINDS[kind] for kind in ("manual", "opening")}, request),
    }
    return rendering.page(request, platform, "ledger/draft_form.html", context, 422 if form.errors else 200)


def _draft_page(
    request: Request, platform: Platform, principal: Principal, draft: Draft, form: Form[ReturnDocument]
) -> Response:
    own = draft.made_by == principal.actor
    context = {
        "draft": draft,
        "form": form,
        "kinds": KINDS,
        "states": STATES,
        "may_check": draft.state == "waiting" and not own and "ledger.book" in principal.permissions,
        "may_change": draft.state in {"waiting", "returned"} and own,
    }
    return rendering.page(request, platform, "ledger/draft.html", context, 422 if form.errors else 200)
