"""Pages on which a rule's draft is written and tried by one person, and published by another."""

from dataclasses import dataclass, field
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.auth.principal import Principal
from jincai.monitoring.store import checking, drafts, publishing, versions
from jincai.monitoring.store.editions import Decided, Place
from jincai.monitoring.store.publishing import WITHIN_SECONDS
from jincai.monitoring.store.versions import Number, Version
from jincai.monitoring.workshop import tables, trial, words
from jincai.monitoring.workshop.asked import Discard, Drafter, Publisher, Reader, Reason, RulePath, Save
from jincai.monitoring.workshop.tables import Known
from jincai.monitoring.workshop.trial import Trial
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.platform import Platform, PlatformOf
from jincai.standards.answers import refusals, said
from jincai.standards.editions import RefusedError

router = APIRouter(
    prefix="/monitor/rules/{rule}/draft", include_in_schema=False, default_response_class=HTMLResponse
)

# So many more lines than there are can be written before the numbers beside them end.
SPARE_LINES = 20
SHOWN_LINES = 3_000


class SaveForm(Save):
    """The text, and whether its examples are to be run at once."""

    step: Literal["save", "try"] = "save"


class PublishForm(BaseModel):
    """What the checker publishes, how, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Number
    revision: Number
    how: Literal["live", "shadow"]
    reason: Reason


@dataclass
class _Shown:
    """What the page shows beside the draft."""

    form: Form[SaveForm] = field(default_factory=Form)
    publish: Form[PublishForm] = field(default_factory=Form)
    tried: bool = False
    status: int = 200


@router.get("")
async def draft_page(
    request: Request, rule: RulePath, platform: PlatformOf, principal: Reader
) -> HTMLResponse:
    """The draft: to be written, looked at, published."""
    return await _page(request, platform, principal, rule, _Shown())


@router.post("/save")
async def save(request: Request, rule: RulePath, platform: PlatformOf, principal: Drafter) -> Response:
    """Keep the text; what is wrong with it is shown beside it. Whoever asks has its examples run, too."""
    form = await forms.read(request, SaveForm)
    shown = _Shown(form=form, status=422)
    if asked := form.value:
        try:
            await platform.database.write(
                lambda cx: drafts.save(cx, rule, asked.revision, asked.source, principal.actor),
                token=principal.token,
                repeatable=True,
            )
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
            shown.status = error.status
        else:
            more = "/try" if asked.step == "try" else ""
            return RedirectResponse(f"/monitor/rules/{rule}/draft{more}", 303)
    return await _page(request, platform, principal, rule, shown)


@router.get("/try")
async def try_draft(
    request: Request, rule: RulePath, platform: PlatformOf, principal: Reader
) -> HTMLResponse:
    """The draft with its examples run and its cost measured."""
    return await _page(request, platform, principal, rule, _Shown(tried=True))


@router.post("/discard")
async def discard(request: Request, rule: RulePath, platform: PlatformOf, principal: Drafter) -> Response:
    """Give the draft up."""
    form = await forms.read(request, Discard)
    if asked := form.value:
        with refusals(request):
            await platform.database.write(
                lambda cx: drafts.discard(cx, rule, asked.revision, principal.actor), token=principal.token
            )
        return RedirectResponse(f"/monitor/rules/{rule}", 303)
    return await _page(request, platform, principal, rule, _Shown(status=422))


@router.post("/publish")
async def publish(request: Request, rule: RulePath, platform: PlatformOf, principal: Publisher) -> Response:
    """Put the draft in force, at the revision that the page showed; or say what keeps it from that."""
    form = await forms.read(request, PublishForm)
    shown = _Shown(publish=form, status=422)
    if asked := form.value:
        place = Place(rule, asked.version, asked.how == "shadow")
        known = checking.vocabularies(platform.systems)
        try:
            await platform.database.write(
                lambda cx: publishing.publish(
                    cx, place, asked.revision, Decided(principal.actor, asked.reason), known
                ),
                token=principal.token,
                repeatable=True,
                within=WITHIN_SECONDS,
            )
            return RedirectResponse(f"/monitor/rules/{rule}", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
            shown.status = error.status
    return await _page(request, platform, principal, rule, shown)


async def _page(
    request: Request, platform: Platform, principal: Principal, rule: str, shown: _Shown
) -> HTMLResponse:
    vocabularies = checking.vocabularies(platform.systems)

    async def ask(cx: AsyncConnection) -> tuple[Known, Version, Trial]:
        draft = await versions.draft(cx, rule)
        tried = (
            await trial.run(cx, draft, vocabularies)
            if shown.tried
            else Trial(mistakes=await trial.mistakes(draft, vocabularies))
        )
        return await tables.known(cx, rule), draft, tried

    with refusals(request):
        known, draft, tried = await platform.database.read(ask, token=principal.token, within=WITHIN_SECONDS)
    # What somebody wrote and could not save stays before them.
    source = str(shown.form.given.get("source") or draft.source)
    context = {
        "known": known,
        "one": draft,
        "tried": tried,
        "shown": shown,
        "source": source,
        "lines": min(source.count("\n") + SPARE_LINES, SHOWN_LINES),
        "wrong_lines": {wrong.line for wrong in tried.mistakes},
        "own": draft.had_a_hand(principal.actor),
        "states": words.STATES,
    }
    return rendering.page(request, platform, "rule_draft.html", context, shown.status)
