"""Rules, their drafts and editions over HTTP: `/api/v1/monitor/rules`, `/api/v1/monitor/editions`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection

from jincai import problems
from jincai.monitoring.store import checking, drafts, editions, publishing, versions
from jincai.monitoring.store.editions import Decided, Edition, Place
from jincai.monitoring.store.publishing import WITHIN_SECONDS
from jincai.monitoring.store.versions import Version
from jincai.monitoring.workshop import tables, trial
from jincai.monitoring.workshop.asked import (
    Begin,
    Discard,
    Drafter,
    NumberPath,
    Publish,
    Publisher,
    Put,
    Reader,
    RulePath,
    Save,
    Trier,
    Why,
)
from jincai.monitoring.workshop.tables import Known, Listed
from jincai.monitoring.workshop.trial import Trial
from jincai.paging import Page, PageQuery
from jincai.platform import DatabaseOf, PlatformOf
from jincai.standards.answers import refusals

router = APIRouter(
    prefix="/api/v1/monitor",
    tags=["monitor"],
    responses={status: {"model": problems.Problem} for status in (404, 409)},
)


@router.get("/rules")
async def list_rules(database: DatabaseOf, principal: Reader) -> list[Listed]:
    """Every rule: what it is, and which of its versions are in force."""
    return await database.read(tables.every, token=principal.token)


@router.get("/rules/{rule}")
async def read_rule(request: Request, rule: RulePath, database: DatabaseOf, principal: Reader) -> Known:
    """One rule with its versions."""
    with refusals(request):
        return await database.read(lambda cx: tables.known(cx, rule), token=principal.token)


@router.get("/rules/{rule}/versions/{version}")
async def read_version(
    request: Request, *, rule: RulePath, version: NumberPath, database: DatabaseOf, principal: Reader
) -> Version:
    """One version with its text."""
    with refusals(request):
        return await database.read(lambda cx: versions.get(cx, rule, version), token=principal.token)


@router.post("/rules/{rule}/versions/{version}/try")
async def try_version(
    request: Request, *, rule: RulePath, version: NumberPath, platform: PlatformOf, principal: Trier
) -> Trial:
    """Run its examples and measure it; changes nothing."""
    known = checking.vocabularies(platform.systems)

    async def ask(cx: AsyncConnection) -> Trial:
        return await trial.run(cx, await versions.get(cx, rule, version), known)

    with refusals(request):
        return await platform.database.read(ask, token=principal.token, within=WITHIN_SECONDS)


@router.post("/rules/{rule}/draft", status_code=201)
async def begin_draft(
    request: Request, *, rule: RulePath, asked: Begin, database: DatabaseOf, principal: Drafter
) -> Version:
    """Begin a draft of a rule, new or known."""
    with refusals(request):
        return await database.write(
            lambda cx: drafts.begin(cx, rule, asked.source, principal.actor),
            token=principal.token,
            repeatable=True,
        )


@router.get("/rules/{rule}/draft")
async def read_draft(request: Request, rule: RulePath, database: DatabaseOf, principal: Reader) -> Version:
    """The draft with its text."""
    with refusals(request):
        return await database.read(lambda cx: versions.draft(cx, rule), token=principal.token)


@router.put("/rules/{rule}/draft")
async def save_draft(
    request: Request, *, rule: RulePath, asked: Save, database: DatabaseOf, principal: Drafter
) -> Version:
    """Change the draft's text; it may be wrong for now, but is not published so."""
    with refusals(request):
        return await database.write(
            lambda cx: drafts.save(cx, rule, asked.revision, asked.source, principal.actor),
            token=principal.token,
            repeatable=True,
        )


@router.post("/rules/{rule}/draft/discard")
async def discard_draft(
    request: Request, *, rule: RulePath, asked: Discard, database: DatabaseOf, principal: Drafter
) -> Version:
    """Give the draft up."""
    with refusals(request):
        return await database.write(
            lambda cx: drafts.discard(cx, rule, asked.revision, principal.actor), token=principal.token
        )


@router.post("/rules/{rule}/draft/publish")
async def publish_draft(
    request: Request, *, rule: RulePath, asked: Publish, platform: PlatformOf, principal: Publisher
) -> Edition:
    """Put the draft that somebody else wrote into the next edition."""
    place = Place(rule, asked.version, asked.shadow)
    known = checking.vocabularies(platform.systems)
    with refusals(request):
        return await platform.database.write(
            lambda cx: publishing.publish(
                cx, place, asked.revision, Decided(principal.actor, asked.reason), known
            ),
            token=principal.token,
            repeatable=True,
            within=WITHIN_SECONDS,
        )


@router.post("/rules/{rule}/put")
async def put_version(
    request: Request, *, rule: RulePath, asked: Put, platform: PlatformOf, principal: Publisher
) -> Edition:
    """Put a published version in force: a shadow becomes live, an earlier one comes back."""
    place = Place(rule, asked.version, asked.shadow)
    known = checking.vocabularies(platform.systems)
    with refusals(request):
        return await platform.database.write(
            lambda cx: publishing.put(cx, place, Decided(principal.actor, asked.reason), known),
            token=principal.token,
            within=WITHIN_SECONDS,
        )


@router.post("/rules/{rule}/withdraw")
async def withdraw_rule(
    request: Request, *, rule: RulePath, asked: Why, database: DatabaseOf, principal: Publisher
) -> Edition:
    """Take the rule out of force, its shadow as well."""
    with refusals(request):
        return await database.write(
            lambda cx: publishing.withdraw(cx, rule, Decided(principal.actor, asked.reason)),
            token=principal.token,
        )


@router.post("/rules/{rule}/shadow/end")
async def end_shadow(
    request: Request, *, rule: RulePath, asked: Why, database: DatabaseOf, principal: Publisher
) -> Edition:
    """End the rule's trial run."""
    with refusals(request):
        return await database.write(
            lambda cx: publishing.end_shadow(cx, rule, Decided(principal.actor, asked.reason)),
            token=principal.token,
        )


@router.get("/editions")
async def list_editions(
    asked: Annotated[PageQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Edition]:
    """规则集: what was in force together, newest first."""
    return await database.read(lambda cx: editions.find(cx, asked), token=principal.token)


@router.get("/editions/{number}")
async def read_edition(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Reader
) -> Edition:
    """One edition."""
    with refusals(request):
        return await database.read(lambda cx: editions.get(cx, number), token=principal.token)
