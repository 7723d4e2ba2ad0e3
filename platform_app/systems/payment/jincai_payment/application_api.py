"""Applications over HTTP: `/api/v1/payment/applications`."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from jincai import language
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf, PlatformOf
from pydantic import Field

from jincai_payment import applications, desk, desk_tables, moves, signing
from jincai_payment.application import Application, ApplicationAsked, AskedKind, Content, State, Trail
from jincai_payment.desk import TEXT, Id
from jincai_payment.desk_api import AgencyCode, Checker, Chosen, ChosenWhy, Reader, Reviewer, Unit
from jincai_payment.moves import Move
from jincai_payment.signing import Signed
from jincai_payment.words import REFUSALS

router = APIRouter(prefix="/api/v1/payment/applications", tags=["payment"])

Signer = Annotated[Principal, Depends(may("payment.post"))]


class ApplicationQuery(BooksQuery):
    """Which applications."""

    state: State | None = None
    agency_code: AgencyCode | None = None
    payee: str | None = Field(default=None, max_length=100, pattern=TEXT)
    quota_id: Id | None = None
    kind: AskedKind | None = None
    pay_from: dt.date | None = None
    pay_to: dt.date | None = None


class Outcome(Signed):
    """What became of an application that was to be signed; ``text`` says it in the reader's language."""

    text: str


@router.get("")
async def list_applications(
    asked: Annotated[ApplicationQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Application]:
    """Applications of one division in one fiscal year, newest first."""
    return await database.read(
        lambda cx: desk_tables.find(cx, Application, desk_tables.APPLICATIONS, asked), token=principal.token
    )


@router.get("/{application_id}")
async def read_application(
    application_id: Id, request: Request, platform: PlatformOf, principal: Reader
) -> Trail:
    """One application with its trail."""
    return await desk.look(request, platform, principal, lambda cx: applications.read(cx, application_id))


@router.post("", status_code=201)
async def make_application(
    asked: ApplicationAsked, request: Request, platform: PlatformOf, principal: Unit
) -> Application:
    """Write a draft; year, division and unit are those of its quota."""
    return await desk.answer(request, platform, principal, lambda cx: applications.make(cx, principal, asked))


@router.put("/{application_id}")
async def edit_application(
    application_id: Id, asked: Content, request: Request, platform: PlatformOf, principal: Unit
) -> Application:
    """Change a draft, or what was returned."""
    return await desk.answer(
        request, platform, principal, lambda cx: applications.edit(cx, principal, application_id, asked)
    )


@router.post("/submit")
async def submit_applications(
    asked: Chosen, request: Request, platform: PlatformOf, principal: Unit
) -> list[Application]:
    """送审: hand applications over to be reviewed."""
    return await _moved(request, platform, principal, asked.ids, "submit")


@router.post("/review")
async def review_applications(
    asked: Chosen, request: Request, platform: PlatformOf, principal: Reviewer
) -> list[Application]:
    """审核: pass applications on to be signed."""
    return await _moved(request, platform, principal, asked.ids, "review")


@router.post("/return")
async def return_applications(
    asked: ChosenWhy, request: Request, platform: PlatformOf, principal: Checker
) -> list[Application]:
    """退回: give applications back to their unit, with a reason; by who has the step they wait for."""
    return await _moved(request, platform, principal, asked.ids, "return", reason=asked.reason)


@router.post("/void")
async def void_applications(
    asked: ChosenWhy, request: Request, platform: PlatformOf, principal: Unit
) -> list[Application]:
    """作废: give up applications that are not signed yet, with a reason."""
    return await _moved(request, platform, principal, asked.ids, "void", reason=asked.reason)


@router.post("/sign")
async def sign_applications(
    asked: Chosen, request: Request, platform: PlatformOf, principal: Signer
) -> list[Outcome]:
    """签章: sign and post applications in one batch; each has its own answer."""
    answers = await desk.answer(
        request, platform, principal, lambda cx: signing.sign(cx, principal, asked.ids)
    )
    return [Outcome(**one.model_dump(), text=said(one, request)) for one in answers]


def said(one: Signed, request: Request) -> str:
    """What became of it, in the reader's language; "" if it was signed."""
    if one.signed:
        return ""
    unknown = (f"记账未通过:{one.reason}", f"Posting refused it: {one.reason}")
    text = REFUSALS.get(one.reason, unknown)[0 if language.of(request) == "zh" else 1]
    return f"{', '.join(one.rules)}: {text}" if one.rules and one.reason != "over_quota" else text


async def _moved(
    request: Request,
    platform: PlatformOf,
    principal: Principal,
    ids: list[int],
    step: Move,
    *,
    reason: str = "",
) -> list[Application]:
    return await desk.answer(
        request, platform, principal, lambda cx: moves.move(cx, principal, ids, step, reason)
    )
