"""Pages of a rule's back-tests (回测) and of its version on trial: begin one, watch it, read what it says."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection

from jincai import spreadsheet
from jincai.auth.principal import Principal
from jincai.monitoring.sweeps import api, backtest, result, shadow, words
from jincai.monitoring.sweeps.asked import BackTestForm, NumberPath, Reader, RulePath, Tester
from jincai.monitoring.sweeps.pages import REFRESH_SECONDS
from jincai.monitoring.sweeps.result import SHOWN_MOST, BackTest, Hit, HitQuery, Result
from jincai.monitoring.sweeps.shadow import Shadow, ShadowQuery
from jincai.monitoring.sweeps.sweep import vocabularies
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import Page
from jincai.platform import Platform, PlatformOf
from jincai.standards.answers import refusals, said
from jincai.standards.editions import RefusedError
from jincai.tables import Words

router = APIRouter(
    prefix="/monitor/rules/{rule}", include_in_schema=False, default_response_class=HTMLResponse
)

_VERSIONS = """
SELECT version, state = 'draft' FROM monitor.rule_version WHERE rule = %s AND state <> 'discarded'
 ORDER BY version DESC LIMIT 50
"""


class HitsAddress(HitQuery, PageAddress):
    """Which hits, and whether as a file."""

    format: Annotated[str, Query(pattern="^(html|xlsx)$")] = "html"


class ShadowAddress(ShadowQuery, PageAddress):
    """Which alerts, and whether as a file."""

    format: Annotated[str, Query(pattern="^(html|xlsx)$")] = "html"


@router.get("/back-tests")
async def back_tests_page(
    request: Request, rule: RulePath, platform: PlatformOf, principal: Reader
) -> Response:
    """The rule's back-tests, the form for another, and the version on trial beside the one in force."""
    return await _page(request, platform, principal, rule, forms.empty())


@router.post("/back-tests")
async def begin(request: Request, rule: RulePath, platform: PlatformOf, principal: Tester) -> Response:
    """Begin a back-test; the same page with what is wrong otherwise."""
    form = await forms.read(request, BackTestForm)
    status = 422
    if form.value:
        try:
            begun = await api.begin_back_test(platform, principal, rule, form.value.asked())
            return RedirectResponse(f"/monitor/rules/{rule}/back-tests/{begun.id}", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
            status = error.status
    return await _page(request, platform, principal, rule, form, status=status)


@router.get("/back-tests/{number}")
async def back_test_page(
    request: Request,
    asked: Annotated[HitsAddress, Query()],
    *,
    rule: RulePath,
    number: NumberPath,
    platform: PlatformOf,
    principal: Reader,
) -> Response:
    """What a back-test found, or with ``format=xlsx`` the file of its hits."""
    as_file = asked.format == "xlsx"

    async def ask(cx: AsyncConnection) -> tuple[Result, Page[Hit]]:
        found = await result.of(cx, number, rule)
        listed = HitQuery(which=asked.which, limit=asked.limit, offset=asked.offset)
        if as_file:
            pages = [
                (await result.hits(cx, number, HitQuery(which=asked.which, limit=200, offset=offset))).items
                for offset in range(0, SHOWN_MOST, 200)
            ]
            items = [hit for page in pages for hit in page]
            return found, Page[Hit](items=items, total=len(items), limit=200, offset=0)
        return found, await result.hits(cx, number, listed)

    with refusals(request):
        found, page = await platform.database.read(ask, token=principal.token)
    if as_file:
        return await _file(request, f"back-test-{rule}-{number}", page.items, words.COMPARED)
    context = {
        "one": found,
        "page": _bounded(page),
        "asked": asked,
        "states": words.STATES,
        "whys": words.WHYS,
        "compared": words.COMPARED,
        "link": _link(platform, found.subject),
        "refresh": REFRESH_SECONDS,
    }
    return rendering.page(request, platform, "back_test.html", context)


@router.post("/back-tests/{number}/cancel")
async def cancel(
    request: Request, *, rule: RulePath, number: NumberPath, platform: PlatformOf, principal: Tester
) -> Response:
    """Stop it."""

    async def work(cx: AsyncConnection) -> None:
        await result.get(cx, number, rule)
        await backtest.cancel(cx, number)

    with refusals(request):
        await platform.database.write(work, token=principal.token, repeatable=True)
    return RedirectResponse(f"/monitor/rules/{rule}/back-tests/{number}", 303)


@router.post("/back-tests/{number}/delete")
async def delete(
    request: Request, *, rule: RulePath, number: NumberPath, platform: PlatformOf, principal: Tester
) -> Response:
    """Take it away with what it found."""
    with refusals(request):
        await platform.database.write(lambda cx: api.delete(cx, number, rule), token=principal.token)
    return RedirectResponse(f"/monitor/rules/{rule}/back-tests", 303)


@router.get("/shadow")
async def shadow_page(
    request: Request,
    asked: Annotated[ShadowAddress, Query()],
    *,
    rule: RulePath,
    platform: PlatformOf,
    principal: Reader,
) -> Response:
    """The alerts of one kind of difference between the version on trial and the one in force."""
    known = vocabularies(platform.systems)
    size = 200 if asked.format == "xlsx" else asked.limit
    offsets = range(0, SHOWN_MOST, size) if asked.format == "xlsx" else (asked.offset,)

    async def ask(cx: AsyncConnection) -> Page[Hit]:
        items: list[Hit] = []
        total = 0
        for offset in offsets:
            query = ShadowQuery(which=asked.which, limit=size, offset=offset)
            page = await shadow.alerts(cx, known, rule, query)
            if page is None:
                raise RefusedError(
                    404, f"规则 {rule} 没有试运行的版本。", f"No version of rule {rule} is on trial."
                )
            items += page.items
            total = max(total, page.total)
        return Page[Hit](items=items, total=total, limit=asked.limit, offset=asked.offset)

    with refusals(request):
        found = await platform.database.read(ask, token=principal.token)
    if asked.format == "xlsx":
        return await _file(request, f"shadow-{rule}-{asked.which}", found.items, words.SHADOWED)
    context = {
        "rule": rule,
        "which": asked.which,
        "page": _bounded(found),
        "kinds": words.SHADOWED,
        "link": _link(platform, "payment"),
    }
    return rendering.page(request, platform, "back_test_shadow.html", context)


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    rule: str,
    form: Form[Any],
    *,
    status: int = 200,
) -> Response:
    known = vocabularies(platform.systems)

    async def ask(cx: AsyncConnection) -> tuple[list[tuple[int, bool]], list[BackTest], Shadow | None]:
        versions = await (await cx.execute(_VERSIONS, (rule,))).fetchall()
        if not versions:
            raise RefusedError(404, f"没有规则 {rule}。", f"There is no rule {rule}.")
        return versions, await result.find(cx, rule), await shadow.compare(cx, known, rule)

    with refusals(request):
        versions, tests, trial = await platform.database.read(ask, token=principal.token)
    context = {
        "rule": rule,
        "versions": {
            number: said(request, f"第{number}版{'(草案)' if draft else ''}", f"{number}{' (draft)' * draft}")
            for number, draft in versions
        },
        "tests": tests,
        "shadow": trial,
        "form": form,
        "states": words.STATES,
        "kinds": words.SHADOWED,
    }
    return rendering.page(request, platform, "back_tests.html", context, status)


def _bounded(page: Page[Hit]) -> Page[Hit]:
    """Of a long list the first thousand can be leafed through."""
    return page.model_copy(update={"total": min(page.total, SHOWN_MOST)})


def _link(platform: Platform, subject: str) -> str:
    return next((one.page for one in vocabularies(platform.systems).values() if one.subject == subject), "")


async def _file(request: Request, name: str, hits: Sequence[Hit], kinds: Words) -> Response:
    zh = said(request, "zh", "en") == "zh"
    headings = (
        ("日期", "年度", "区划", "单位", "记录号", "金额(元)", "对比")
        if zh
        else ("Date", "Year", "Division", "Unit", "Record", "Amount (yuan)", "Compared")
    )
    rows = (
        (
            one.as_of,
            one.fiscal_year,
            one.division,
            one.agency_code,
            one.subject_id,
            spreadsheet.yuan(one.amount),
            kinds[one.compared][0 if zh else 1],
        )
        for one in hits
    )
    made = await asyncio.to_thread(spreadsheet.write_xlsx, {"hits": (headings, rows)})
    return Response(
        made,
        media_type=spreadsheet.XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Cache-Control": "no-store"},
    )
