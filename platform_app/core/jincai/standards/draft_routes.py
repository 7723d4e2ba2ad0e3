"""Drafts over HTTP: who prepares them, and who, somebody else, publishes them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from jincai import spreadsheet
from jincai.auth.principal import Principal, may
from jincai.platform import DatabaseOf
from jincai.standards import drafting, importing
from jincai.standards.answers import FileProblem, not_taken, refusals, take
from jincai.standards.cells import Encoding
from jincai.standards.code_list import CodeText, ElementName
from jincai.standards.drafting import Base
from jincai.standards.edition_routes import PROBLEMS, Number, NumberPath, Strict, YearPath
from jincai.standards.editions import Edition
from jincai.standards.importing import Imported, MistakenError, Mode

router = APIRouter(prefix="/api/v1/standards", tags=["standards"], responses=PROBLEMS)

Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Drafter = Annotated[Principal, Depends(may("standards.draft"))]
Publisher = Annotated[Principal, Depends(may("standards.publish"))]
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", spreadsheet.XLSX)
        },
    }
}


class Begin(Strict):
    """A draft to begin; ``note`` says why."""

    base: Base = "in_force"
    note: Reason


class Discard(Strict):
    """Why a draft is taken away."""

    reason: Reason


class Publish(Strict):
    """The draft's revision that the publisher has seen."""

    revision: Number


class ImportQuery(Strict):
    """How to take the file: ``element`` is needed for CSV, a workbook's sheets are named like theirs."""

    mode: Mode = "merge"
    element: ElementName | None = None
    encoding: Encoding = "utf-8"


class Deleted(BaseModel):
    """The draft's revision after a deletion."""

    revision: int


@router.post("/editions/{year}/draft", status_code=201)
async def begin_draft(
    request: Request, *, year: YearPath, asked: Begin, database: DatabaseOf, principal: Drafter
) -> Edition:
    """Begin a draft: a copy of what is in force, or empty."""
    with refusals(request):
        return await database.write(
            lambda cx: drafting.begin(cx, year, asked.base, asked.note, principal.actor),
            token=principal.token,
            repeatable=True,
            within=drafting.WITHIN_SECONDS,
        )


@router.post(
    "/editions/{year}/draft/import",
    response_model=Imported,
    responses={422: {"model": FileProblem}},
    openapi_extra=_FILES,
)
async def import_file(
    request: Request,
    *,
    year: YearPath,
    asked: Annotated[ImportQuery, Query()],
    database: DatabaseOf,
    principal: Drafter,
) -> Imported | Response:
    """Bring a CSV or XLSX file, sent as the body, into the draft: all of it, or with any mistake nothing."""
    content = await request.body()
    with refusals(request):
        try:
            tables = await take(content, asked.element, asked.encoding)
            return await database.write(
                lambda cx: importing.apply(cx, year, tables, asked.mode, principal.actor),
                token=principal.token,
                repeatable=True,
                within=drafting.WITHIN_SECONDS,
            )
        except MistakenError as error:
            return not_taken(request, error.mistakes)


@router.delete("/editions/{year}/draft/codes/{element}/{code}")
async def delete_code(
    request: Request,
    *,
    year: YearPath,
    element: ElementName,
    code: CodeText,
    database: DatabaseOf,
    principal: Drafter,
) -> Deleted:
    """Take one code out of the draft."""
    with refusals(request):
        revision = await database.write(
            lambda cx: importing.delete(cx, year, element, code, principal.actor), token=principal.token
        )
    return Deleted(revision=revision)


@router.post("/editions/{year}/draft/discard", status_code=204)
async def discard_draft(
    request: Request, *, year: YearPath, asked: Discard, database: DatabaseOf, principal: Drafter
) -> None:
    """Take the draft away."""
    with refusals(request):
        await database.write(
            lambda cx: drafting.discard(cx, year, asked.reason, principal.actor),
            token=principal.token,
            within=drafting.WITHIN_SECONDS,
        )


@router.post("/editions/{year}/{number}/publish")
async def publish_draft(
    request: Request,
    *,
    year: YearPath,
    number: NumberPath,
    asked: Publish,
    database: DatabaseOf,
    principal: Publisher,
) -> Edition:
    """Put a draft in force that somebody else made."""
    with refusals(request):
        return await database.write(
            lambda cx: drafting.publish(cx, year, number, asked.revision, principal.actor),
            token=principal.token,
            repeatable=True,
        )
