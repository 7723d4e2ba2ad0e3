"""Pages of rules: which there are, what one says and said, and what of it is in force."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai.auth.principal import Principal
from jincai.monitoring.store import checking, drafts, editions, publishing, versions
from jincai.monitoring.store.editions import Decided, Edition, Place
from jincai.monitoring.store.publishing import WITHIN_SECONDS
from jincai.monitoring.store.versions import Number, RuleId, Version
from jincai.monitoring.workshop import tables, words
from jincai.monitoring.workshop.asked import Drafter, NumberPath, Publisher, Reader, Reason, RulePath
from jincai.monitoring.workshop.tables import Known
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from jincai.standards.answers import refusals, said
from jincai.standards.editions import RefusedError

router = APIRouter(prefix="/monitor/rules", include_in_schema=False, default_response_class=HTMLResponse)

WORDS = {
    "stages": words.STAGES,
    "levels": words.LEVELS,
    "disposals": words.DISPOSALS,
    "states": words.STATES,
    "subjects": words.SUBJECTS,
    "units": words.UNITS,
}


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewRule(_Asked):
    """The number of a rule to be written."""

    rule: RuleId


class Force(_Asked):
    """What is to become of the rule: ``live:3`` and ``shadow:3`` name a version."""

    step: str = Field(pattern=r"^(withdraw|end_shadow|(live|shadow):[1-9][0-9]{0,8})$")
    reason: Reason


class VersionAddress(PageAddress):
    """The address of a version's page; ``against`` is the version to compare it with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    against: Number | None = None


@router.get("")
async def rules_page(request: Request, platform: PlatformOf, principal: Reader) -> HTMLResponse:
    """Every rule and where it stands."""
    return await _list(request, platform, principal, forms.empty())


@router.post("")
async def new_rule(request: Request, platform: PlatformOf, principal: Drafter) -> Response:
    """Begin the draft of a new rule, or of one that is known."""
    form = await forms.read(request, NewRule)
    if asked := form.value:
        try:
            await _begin(platform, principal, asked.rule)
            return RedirectResponse(f"/monitor/rules/{asked.rule}/draft", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en), "rule")
    return await _list(request, platform, principal, form)


@router.get("/{rule}")
async def rule_page(
    request: Request, rule: RulePath, platform: PlatformOf, principal: Reader
) -> HTMLResponse:
    """One rule: its text in force in plain words, its versions, what a checker may do."""
    return await _page(request, platform, principal, rule, forms.empty())


@router.post("/{rule}/draft")
async def begin_draft(request: Request, rule: RulePath, platform: PlatformOf, principal: Drafter) -> Response:
    """Begin a draft from the newest version."""
    with refusals(request):
        await _begin(platform, principal, rule)
    return RedirectResponse(f"/monitor/rules/{rule}/draft", 303)


@router.post("/{rule}/force")
async def change_force(
    request: Request, rule: RulePath, platform: PlatformOf, principal: Publisher
) -> Response:
    """Withdraw the rule, end its trial run, or put a published version in force."""
    form = await forms.read(request, Force)
    if asked := form.value:
        try:
            await _force(platform, principal, rule, asked)
            return RedirectResponse(f"/monitor/rules/{rule}", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
    return await _page(request, platform, principal, rule, form)


@router.get("/{rule}/versions/{version}")
async def version_page(
    request: Request,
    *,
    rule: RulePath,
    version: NumberPath,
    platform: PlatformOf,
    principal: Reader,
    asked: Annotated[VersionAddress, Query()],
) -> HTMLResponse:
    """A version's text, and how it differs from another one, unless asked otherwise the one before."""

    async def ask(cx: AsyncConnection) -> tuple[Version, Version | None, Known]:
        one = await versions.get(cx, rule, version)
        against = asked.against or version - 1
        return (
            one,
            await versions.get(cx, rule, against) if against else None,
            await tables.known(cx, rule),
        )

    with refusals(request):
        one, before, known = await platform.database.read(ask, token=principal.token)
    differing = await asyncio.to_thread(tables.difference, before, one) if before else []
    context = {"one": one, "before": before, "known": known, "differing": differing, **WORDS}
    return rendering.page(request, platform, "rule_version.html", context)


async def _begin(platform: Platform, principal: Principal, rule: str) -> Version:
    return await platform.database.write(
        lambda cx: drafts.begin(cx, rule, None, principal.actor), token=principal.token, repeatable=True
    )


async def _force(platform: Platform, principal: Principal, rule: str, asked: Force) -> Edition:
    known = checking.vocabularies(platform.systems)
    step, _, number = asked.step.partition(":")
    by = Decided(principal.actor, asked.reason)

    async def work(cx: AsyncConnection) -> Edition:
        if step == "withdraw":
            return await publishing.withdraw(cx, rule, by)
        if step == "end_shadow":
            return await publishing.end_shadow(cx, rule, by)
        place = Place(rule, int(number), shadow=step == "shadow")
        return await publishing.put(cx, place, by, known)

    return await platform.database.write(work, token=principal.token, within=WITHIN_SECONDS)


async def _list(
    request: Request, platform: Platform, principal: Principal, form: Form[NewRule] | Form[BaseModel]
) -> HTMLResponse:
    async def ask(cx: AsyncConnection) -> tuple[list[tables.Listed], int | None]:
        return await tables.every(cx), await editions.newest(cx)

    rules, edition = await platform.database.read(ask, token=principal.token)
    context = {"rules": rules, "edition": edition, "form": form, **WORDS}
    return rendering.page(request, platform, "rules.html", context, 422 if form.errors else 200)


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    rule: str,
    form: Form[Force] | Form[BaseModel],
) -> HTMLResponse:
    async def ask(cx: AsyncConnection) -> tuple[Known, Version]:
        known = await tables.known(cx, rule)
        place = known.rule
        shown = place.live or place.shadow or place.draft or known.versions[0].version
        return known, await versions.get(cx, rule, shown)

    with refusals(request):
        known, shown = await platform.database.read(ask, token=principal.token)
    context = {
        "known": known,
        "one": shown,
        "says": checking.rule_of(shown.source, rule),
        "steps": _steps(principal, known),
        "form": form,
        **WORDS,
    }
    return rendering.page(request, platform, "rule.html", context, 422 if form.errors else 200)


def _steps(principal: Principal, known: Known) -> dict[str, tuple[str, str]]:
    """What ``principal`` may change about what is in force, in both languages."""
    if "monitor.rule_publish" not in principal.permissions:
        return {}
    steps: dict[str, tuple[str, str]] = {}
    place, actor = known.rule, principal.actor
    ways: tuple[tuple[Literal["live", "shadow"], str, str], ...] = (
        ("live", "正式执行", "in force"),
        ("shadow", "试运行", "on trial"),
    )
    for one in known.versions:
        if one.state != "published" or actor == one.made_by or actor in one.changed_by:
            continue
        for way, zh, en in ways:
            if one.version not in {getattr(place, way), place.live}:
                steps[f"{way}:{one.version}"] = (
                    f"第{one.version}版转为{zh}",
                    f"Put version {one.version} {en}",
                )
    if place.shadow:
        steps["end_shadow"] = ("结束试运行", "End the trial run")
    if place.live or place.shadow:
        steps["withdraw"] = ("停用规则", "Withdraw the rule")
    return steps
