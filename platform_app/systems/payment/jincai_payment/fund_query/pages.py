"""Pages of the fund query: the form with what it found, saved queries, and one fund's way."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language, problems, spreadsheet
from jincai.auth.principal import Principal
from jincai.money import yuan
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.platform import Platform, PlatformOf
from jincai.tables import EXPORT_MOST, Row
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jincai_payment import desk
from jincai_payment.desk import DeskError, Id
from jincai_payment.desk_api import Reader
from jincai_payment.fund_query import saved, search, table, trace, trace_words
from jincai_payment.fund_query.asked import SKIP_MOST, Criteria, FundAddress
from jincai_payment.fund_query.saved import Name, SavedAsked
from jincai_payment.words import BANK_STATES, KINDS, PAY_TYPES

router = APIRouter(prefix="/payment/search", include_in_schema=False)

PATH = "/payment/search"


class SaveForm(BaseModel):
    """A name for the question whose address is ``question``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    shared: bool = False
    question: str = Field(max_length=4_000)


@router.get("")
async def search_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """The form, and what matches; with ``format=xlsx`` the file."""
    form = _read(dict(request.query_params), request)
    if form.value is not None and form.value.format == "xlsx":
        return await _file(request, platform, principal, form.value)
    return await _page(request, platform, principal, form, forms.empty(), status=422 if form.errors else 200)


@router.post("/saved")
async def keep(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """Keep the question by a name."""
    named = await forms.read(request, SaveForm)
    given = named.given.get("question", "")
    form = _read(dict(parse_qsl(str(given)[:4_000])), request)
    if named.value is not None and form.value is not None:
        wanted = SavedAsked(
            name=named.value.name.strip(),
            shared=named.value.shared,
            asked=Criteria(**form.value.criteria()),
            sort=form.value.sort,
        )
        try:
            await desk.write(platform, principal, lambda cx: saved.keep(cx, principal, wanted))
            return RedirectResponse(f"{PATH}?{given}", 303)
        except DeskError as error:
            named.refuse(error.text(request))
    return await _page(request, platform, principal, form, named, status=422)


@router.post("/saved/{number}/delete")
async def drop(number: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """Delete one's own saved query."""
    await desk.answer(request, platform, principal, lambda cx: saved.drop(cx, principal, number))
    return RedirectResponse(PATH, 303)


@router.get("/{payment_id}")
async def trace_page(payment_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One fund's way from its indicator to the bank's receipt, and every alert about it."""
    found = await desk.look(
        request, platform, principal, lambda cx: trace.read(cx, payment_id, principal.permissions)
    )
    context = {
        "one": found.payment,
        "asked_id": payment_id,
        "steps": found.steps,
        "alerts_shown": found.alerts_shown,
        "stages": trace_words.STAGES,
        "states": trace_words.STATES,
        "tones": trace_words.TONES,
        "bank_states": BANK_STATES,
    }
    return rendering.page(request, platform, "payment/trace.html", context)


def _read(given: Mapping[str, str], request: Request) -> Form[FundAddress]:
    form = Form[FundAddress](given=dict(given))
    try:
        form.value = FundAddress.model_validate(given)
    except ValidationError as error:
        listed: list[Any] = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        for mistake in problems.mistakes(listed, language.of(request)):
            form.errors.setdefault(mistake.field, mistake.message)
    return form


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    form: Form[FundAddress],
    named: Form[Any],
    *,
    status: int = 200,
) -> Response:
    asked = form.value

    async def ask(cx: AsyncConnection) -> dict[str, Any]:
        found: tuple[list[Row], int, bool] = ([], 0, False)
        if asked is not None and asked.criteria():
            found = await search.find(cx, asked)
        return {
            "rows": found[0],
            "total": found[1],
            "more": found[2],
            "behind": await search.behind(cx),
            "codes": await table.codes(cx),
            "saved": [(one, address(one.asked)) for one in await saved.every(cx, principal)],
        }

    context: dict[str, Any] = await platform.database.read(ask, token=principal.token)
    # What stands in no field is a mistake of the whole form.
    unplaced = [text for name, text in form.errors.items() if name not in Criteria.model_fields]
    context |= {
        "form": form,
        "unplaced": unplaced,
        "named": named,
        "asked": asked,
        "searched": asked is not None and bool(asked.criteria()),
        "question": _question(form),
        "columns": table.COLUMNS,
        "sortable": table.SORTED,
        "kinds": forms.words(KINDS, request),
        "pay_types": forms.words(PAY_TYPES, request),
        "bank_states": forms.words(BANK_STATES, request),
        "choices": {name: forms.words(codes, request) for name, codes in context["codes"].items()},
        "skip_most": SKIP_MOST,
        "behind_most": search.BEHIND_MOST,
        "own_most": saved.OWN_MOST,
        "path": PATH,
    }
    return rendering.page(request, platform, "payment/search.html", context, status)


def _question(form: Form[FundAddress]) -> str:
    """The form's criteria as they stand in an address."""
    names = (*Criteria.model_fields, "sort")
    return urlencode({name: form.given[name] for name in names if form.given.get(name)})


def address(asked: Mapping[str, str | int]) -> str:
    """Where the page shows a saved query: amounts there are in yuan."""
    shown = {name: yuan(int(value)) if name.startswith("amount_") else value for name, value in asked.items()}
    return f"{PATH}?{urlencode(shown)}"


async def _file(request: Request, platform: Platform, principal: Principal, asked: FundAddress) -> Response:
    zh = language.of(request) == "zh"
    rows = await platform.database.read(lambda cx: search.every(cx, asked), token=principal.token)
    if rows is None:
        raise HTTPException(
            422,
            f"超过 {EXPORT_MOST} 行,一个文件装不下。请增加查询条件后再导出。"
            if zh
            else f"More than {EXPORT_MOST} rows, which no file holds. Set more conditions, then export.",
        )
    # In a thread: a hundred thousand rows take seconds, and others are waiting.
    made = await asyncio.to_thread(spreadsheet.write_xlsx, {"payments": table.sheet(rows, zh=zh)})
    return Response(
        made,
        media_type=spreadsheet.XLSX,
        headers={
            "Content-Disposition": 'attachment; filename="fund-query.xlsx"',
            "Cache-Control": "no-store",
        },
    )
