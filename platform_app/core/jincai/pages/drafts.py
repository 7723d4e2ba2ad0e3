"""Pages on which drafts of code tables are prepared, and published by somebody else."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import AsyncConnection
from pydantic import Field, ValidationError

from jincai import language, problems
from jincai.pages import editions as edition_pages
from jincai.pages import forms, rendering, upload
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.paging import Year
from jincai.platform import Platform, PlatformOf
from jincai.standards import code_list, drafting, editions, importing
from jincai.standards.answers import refusals, said, take
from jincai.standards.code_list import CodeText, ElementName
from jincai.standards.draft_routes import Begin, Discard, Drafter, ImportQuery, Publish, Publisher
from jincai.standards.edition_routes import NumberPath, Strict, YearPath
from jincai.standards.editions import Edition, EditionQuery, RefusedError
from jincai.standards.elements import ELEMENTS
from jincai.standards.importing import MistakenError
from jincai.standards.mistakes import Mistakes

router = APIRouter(prefix="/standards/editions", include_in_schema=False, default_response_class=HTMLResponse)


Count = Annotated[int, Field(ge=0, lt=2**31)]


class BeginForm(Begin):
    """A draft to begin, of a year."""

    year: Year


class DraftAddress(Strict, PageAddress):
    """The address of a draft's page; after an import it says what that did."""

    added: Count | None = None
    changed: Count | None = None
    removed: Count | None = None
    unchanged: Count | None = None


class DeleteForm(Strict):
    """A code to take out of the draft."""

    element: ElementName
    code: CodeText


@dataclass
class _Shown:
    """What a draft's page shows beside the draft."""

    year: int
    form: Form[ImportQuery] = field(default_factory=Form)
    delete_form: Form[DeleteForm] = field(default_factory=Form)
    discard_form: Form[Discard] = field(default_factory=Form)
    mistakes: Mistakes = field(default_factory=Mistakes)
    done: DraftAddress = field(default_factory=DraftAddress)

    @property
    def status(self) -> int:
        """422 if anything on it is wrong."""
        every = (self.form.errors, self.delete_form.errors, self.discard_form.errors, self.mistakes.count)
        return 422 if any(every) else 200


@router.post("")
async def begin(request: Request, platform: PlatformOf, principal: Drafter) -> Response:
    """Begin a draft; the same page with what is wrong otherwise."""
    form = await forms.read(request, BeginForm)
    if asked := form.value:
        try:
            await platform.database.write(
                lambda cx: drafting.begin(cx, asked.year, asked.base, asked.note, principal.actor),
                token=principal.token,
                repeatable=True,
                within=drafting.WITHIN_SECONDS,
            )
            return RedirectResponse(f"/standards/editions/{asked.year}/draft", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en))
    return await edition_pages.list_page(request, platform, principal.token, EditionQuery(), form)


@router.get("/{year}/draft")
async def draft_page(
    request: Request,
    *,
    year: YearPath,
    platform: PlatformOf,
    principal: Drafter,
    asked: Annotated[DraftAddress, Query()],
) -> HTMLResponse:
    """The draft of a year: what it holds, the form for a file, the way to discard it."""
    return await _page(request, platform, principal.token, _Shown(year, done=asked))


@router.post("/{year}/draft/import")
async def bring(request: Request, year: YearPath, platform: PlatformOf, principal: Drafter) -> Response:
    """Import a file; the draft's page then says what it did, or where the file is wrong."""
    fields, content = await upload.read(request)
    shown = _Shown(year, form=_checked(request, fields))
    asked = shown.form.value
    if asked and not content:
        shown.form.refuse(said(request, "请选择文件。", "Choose a file."), "file")
    elif asked:
        try:
            tables = await take(content, asked.element, asked.encoding)
            done = await platform.database.write(
                lambda cx: importing.apply(cx, year, tables, asked.mode, principal.actor),
                token=principal.token,
                repeatable=True,
                within=drafting.WITHIN_SECONDS,
            )
            query = urlencode(done.model_dump(include={"added", "changed", "removed", "unchanged"}))
            return RedirectResponse(f"/standards/editions/{year}/draft?{query}", 303)
        except MistakenError as error:
            shown.mistakes = error.mistakes
        except RefusedError as error:
            shown.form.refuse(said(request, error.zh, error.en))
    return await _page(request, platform, principal.token, shown)


@router.post("/{year}/draft/delete")
async def delete(request: Request, year: YearPath, platform: PlatformOf, principal: Drafter) -> Response:
    """Take one code out of the draft."""
    form = await forms.read(request, DeleteForm)
    if asked := form.value:
        try:
            await platform.database.write(
                lambda cx: importing.delete(cx, year, asked.element, asked.code, principal.actor),
                token=principal.token,
            )
            return RedirectResponse(f"/standards/editions/{year}/draft", 303)
        except RefusedError as error:
            form.refuse(said(request, error.zh, error.en), "code")
    return await _page(request, platform, principal.token, _Shown(year, delete_form=form))


@router.post("/{year}/draft/discard")
async def discard(request: Request, year: YearPath, platform: PlatformOf, principal: Drafter) -> Response:
    """Take the draft away."""
    form = await forms.read(request, Discard)
    if asked := form.value:
        with refusals(request):
            await platform.database.write(
                lambda cx: drafting.discard(cx, year, asked.reason, principal.actor),
                token=principal.token,
                within=drafting.WITHIN_SECONDS,
            )
        return RedirectResponse("/standards/editions", 303)
    return await _page(request, platform, principal.token, _Shown(year, discard_form=form))


@router.post("/{year}/{number}/publish")
async def publish(
    request: Request, *, year: YearPath, number: NumberPath, platform: PlatformOf, principal: Publisher
) -> Response:
    """Put the draft in force, at the revision that the page with its differences showed."""
    form = await forms.read(request, Publish)
    asked = form.value
    if asked is None:
        raise HTTPException(400)
    with refusals(request):
        await platform.database.write(
            lambda cx: drafting.publish(cx, year, number, asked.revision, principal.actor),
            token=principal.token,
            repeatable=True,
        )
    return RedirectResponse(f"/standards/editions/{year}/{number}", 303)


def _checked(request: Request, given: dict[str, str]) -> Form[ImportQuery]:
    form = Form[ImportQuery](given={**given})
    try:
        form.value = ImportQuery.model_validate({name: text for name, text in given.items() if text})
    except ValidationError as error:
        found = [{**one, "loc": ("form", *one["loc"])} for one in error.errors()]
        form.errors = {one.field: one.message for one in problems.mistakes(found, language.of(request))}
    return form


async def _page(request: Request, platform: Platform, token: str, shown: _Shown) -> HTMLResponse:
    async def ask(cx: AsyncConnection) -> tuple[Edition, dict[str, int]]:
        edition = await editions.draft(cx, shown.year)
        return edition, await code_list.counts(cx, edition.fiscal_year, edition.number)

    with refusals(request):
        edition, counts = await platform.database.read(ask, token=token)
    context = {"edition": edition, "counts": counts, "elements": ELEMENTS, "shown": shown}
    return rendering.page(request, platform, "edition_draft.html", context, shown.status)
