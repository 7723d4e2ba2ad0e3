"""Cases over HTTP: `/api/v1/monitor/cases` for the office, `/api/v1/monitor/inquiries` for a unit."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from jincai.auth.principal import Principal
from jincai.monitoring.cases import attachments, case, desk, moves, tables
from jincai.monitoring.cases.asked import (
    Anybody,
    Handler,
    Id,
    IdPath,
    OfficeMove,
    Reader,
    Reply,
    Report,
    Unit,
    UnitMove,
)
from jincai.monitoring.cases.case import Case
from jincai.monitoring.cases.states import CaseError, State
from jincai.monitoring.cases.tables import CaseRow, ListName
from jincai.paging import DivisionCode, Page, PageQuery, Year
from jincai.platform import Platform, PlatformOf

router = APIRouter(prefix="/api/v1/monitor", tags=["monitor"])

_UNIT_MOVE: TypeAdapter[Reply | Report] = TypeAdapter(UnitMove)
# A form, since files come along; FastAPI would put them on disk.
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["move", "revision", "text"],
                    "properties": {
                        "move": {"enum": ["reply", "report"]},
                        "revision": {"type": "integer"},
                        "text": {"type": "string"},
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


class InquiryQuery(PageQuery):
    """Which inquiries."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    state: State | None = None


class CaseQuery(InquiryQuery):
    """Which cases; ``list`` names a worklist of the asker's."""

    list: ListName = "all"
    level: Literal["red", "orange", "yellow"] | None = None
    conclusion: Literal["normal", "violation"] | None = None
    late: Literal["yes", "no"] | None = None


class TakeAsked(BaseModel):
    """Which alert."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_id: Id


class TakeNextAsked(BaseModel):
    """``key`` names this asking: repeated under it, the answer is the same case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: UUID | None = None


class Taken(BaseModel):
    """The case that is the asker's now; None: nothing waits."""

    model_config = ConfigDict(frozen=True)

    case_id: int | None


@router.get("/cases")
async def list_cases(
    asked: Annotated[CaseQuery, Query()], request: Request, platform: PlatformOf, principal: Reader
) -> Page[CaseRow]:
    """Cases of the divisions that the asker sees; overdue and urgent ones first."""
    address = tables.asked_of(tables.CASES, asked)
    return await desk.look(request, platform, principal, lambda cx: tables.find(cx, tables.CASES, address))


@router.post("/cases/take-next")
async def take_next_case(
    request: Request, platform: PlatformOf, principal: Handler, asked: TakeNextAsked | None = None
) -> Taken:
    """领取下一件: the most urgent, oldest alert that nobody has, as a case of the asker's."""
    try:
        return Taken(case_id=await desk.take_next(platform, principal, asked.key if asked else None))
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error


@router.post("/cases/take")
async def take_case(asked: TakeAsked, request: Request, platform: PlatformOf, principal: Handler) -> Taken:
    """领取: one alert; 409 if somebody else has it."""
    try:
        return Taken(case_id=await desk.take(platform, principal, asked.alert_id))
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error


@router.get("/cases/{case_id}")
async def read_case(case_id: IdPath, request: Request, platform: PlatformOf, principal: Reader) -> Case:
    """One case with its alerts and its trail."""
    return await desk.look(request, platform, principal, lambda cx: case.read(cx, case_id))


@router.post("/cases/{case_id}/moves")
async def move_case(
    case_id: IdPath,
    asked: Annotated[OfficeMove, Body()],
    request: Request,
    platform: PlatformOf,
    principal: Handler,
) -> Case:
    """One move of the office; 409 if the case moved on since the ``revision`` named."""

    async def work(cx: AsyncConnection) -> Case:
        await moves.make(cx, principal, case_id, asked)
        return await case.read(cx, case_id)

    try:
        await desk.require_person(platform, principal, case_id, asked)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error
    return await desk.answer(request, platform, principal, work)


@router.get("/cases/{case_id}/attachments/{attachment_id}", response_class=Response)
async def read_attachment(
    case_id: IdPath, attachment_id: IdPath, request: Request, platform: PlatformOf, principal: Anybody
) -> Response:
    """An attachment, as a download."""
    return attachments.download(
        await desk.look(request, platform, principal, lambda cx: attachments.read(cx, case_id, attachment_id))
    )


@router.get("/inquiries")
async def list_inquiries(
    asked: Annotated[InquiryQuery, Query()], request: Request, platform: PlatformOf, principal: Unit
) -> Page[CaseRow]:
    """What the asker's unit was asked."""
    address = tables.asked_of(tables.INQUIRIES, asked)
    return await desk.look(
        request, platform, principal, lambda cx: tables.find(cx, tables.INQUIRIES, address)
    )


@router.get("/inquiries/{case_id}")
async def read_inquiry(case_id: IdPath, request: Request, platform: PlatformOf, principal: Unit) -> Case:
    """One inquiry, with what was said to and by the unit."""
    return await desk.look(request, platform, principal, lambda cx: case.read(cx, case_id, as_unit=True))


@router.post("/inquiries/{case_id}", openapi_extra=_FORM)
async def answer_inquiry(case_id: IdPath, request: Request, platform: PlatformOf, principal: Unit) -> Case:
    """答复, or the report that it is rectified: a form with at most five files."""
    fields, files = await attachments.read_form(request)
    try:
        asked = _UNIT_MOVE.validate_python(fields)
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        ) from error
    try:
        return await answered(platform, principal, case_id, asked, files)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error


async def answered(
    platform: Platform, principal: Principal, case_id: int, asked: Any, files: list[tuple[str, bytes]]
) -> Case:
    """The inquiry after the unit's move.

    Raises:
        CaseError: refused; nothing happened.
    """
    found = attachments.checked(files)

    async def work(cx: AsyncConnection) -> Case:
        await case.require_asked(cx, case_id)
        await moves.make(cx, principal, case_id, asked, found)
        return await case.read(cx, case_id, as_unit=True)

    return await desk.write(platform, principal, work)
