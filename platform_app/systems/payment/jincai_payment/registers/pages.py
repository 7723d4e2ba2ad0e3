"""Pages of the registers: what there are, the list of each, entering, importing and closing."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai.auth.principal import Principal
from jincai.identity import SHANGHAI
from jincai.pages import forms, listing, rendering, upload
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from jincai.standards.importing import MistakenError
from jincai.standards.mistakes import Mistakes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jincai_payment import desk
from jincai_payment.desk import DeskError, Id
from jincai_payment.desk_api import Reader
from jincai_payment.registers import file, keeping
from jincai_payment.registers.api import Closing, ImportQuery, Registrar
from jincai_payment.registers.register import LIMIT_KINDS, REGISTERS, Register

router = APIRouter(prefix="/payment/registers", include_in_schema=False)


def _register(name: str) -> Register:
    if name not in REGISTERS:
        raise HTTPException(404)
    return REGISTERS[name]


RegisterOf = Annotated[Register, Depends(_register)]
_Count = Annotated[int, Field(ge=0, lt=2**31)]


class NewAddress(PageAddress):
    """The address of the forms; after an import it says what that did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    added: _Count | None = None
    unchanged: _Count | None = None


@router.get("")
async def registers_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """What registers there are, and what rules ask them."""
    context = {"registers": REGISTERS.values(), "may_enter": _may(principal)}
    return rendering.page(request, platform, "payment/registers.html", context)


@router.get("/{name}")
async def register_page(
    request: Request, platform: PlatformOf, principal: Reader, register: RegisterOf
) -> Response:
    """Entries of one division that hold on some day of a year."""
    new = ("登记或导入", "Enter or import", f"/payment/registers/{register.name}/new")
    return await listing.answer(
        request,
        platform,
        table=register.listed,
        title=register.title,
        permission="payment.read",
        actions=(new,) if _may(principal) else (),
    )


@router.get("/{name}/new")
async def new_entry(
    request: Request,
    platform: PlatformOf,
    _: Registrar,
    register: RegisterOf,
    asked: Annotated[NewAddress, Query()],
) -> Response:
    """The forms: of one entry, and of a file."""
    return _forms(request, platform, register, done=asked)


@router.post("/{name}")
async def add_entry(
    request: Request, platform: PlatformOf, principal: Registrar, register: RegisterOf
) -> Response:
    """Enter what the form says."""
    form = await forms.read(request, register.written)
    if form.value is None:
        return _forms(request, platform, register, form, status=422)
    asked = form.value
    try:
        kept = await desk.write(
            platform, principal, lambda cx: keeping.add_one(cx, principal, register, asked)
        )
    except DeskError as error:
        form.refuse(error.text(request), error.field)
        return _forms(request, platform, register, form, status=error.status)
    return RedirectResponse(f"/payment/registers/{register.name}/{kept.id}", 303)


@router.post("/{name}/import")
async def import_entries(
    request: Request, platform: PlatformOf, principal: Registrar, register: RegisterOf
) -> Response:
    """Add the file's entries; the page then says how many, or where the file is wrong."""
    fields, content = await upload.read(request)
    chosen = Form[BaseModel](given={**fields})
    mistakes = Mistakes()
    try:
        encoding = ImportQuery.model_validate(fields).encoding
        done = await file.bring(platform, principal, register, content, encoding)
    except ValidationError as error:
        raise HTTPException(400) from error
    except MistakenError as error:
        mistakes, status = error.mistakes, 422
    except DeskError as error:
        chosen.refuse(error.text(request), "file")
        status = error.status
    else:
        query = urlencode(done.model_dump())
        return RedirectResponse(f"/payment/registers/{register.name}/new?{query}", 303)
    return _forms(request, platform, register, chosen=chosen, mistakes=mistakes, status=status)


@router.get("/{name}/{number}")
async def entry_page(
    request: Request, *, platform: PlatformOf, principal: Reader, register: RegisterOf, number: Id
) -> Response:
    """One entry, and the form that closes it."""
    return await _entry(request, platform, principal, register, number=number, form=forms.empty())


@router.post("/{name}/{number}")
async def close_entry(
    request: Request, *, platform: PlatformOf, principal: Registrar, register: RegisterOf, number: Id
) -> Response:
    """Close it by a date."""
    form = await forms.read(request, Closing)
    if form.value is None:
        return await _entry(request, platform, principal, register, number=number, form=form, status=422)
    valid_to = form.value.valid_to
    try:
        await desk.write(
            platform, principal, lambda cx: keeping.close(cx, register, number, valid_to, principal.actor)
        )
    except DeskError as error:
        form.refuse(error.text(request), error.field)
        return await _entry(
            request, platform, principal, register, number=number, form=form, status=error.status
        )
    return RedirectResponse(f"/payment/registers/{register.name}/{number}", 303)


def _may(principal: Principal) -> bool:
    return "monitor.register" in principal.permissions


def _forms(
    request: Request,
    platform: Platform,
    register: Register,
    form: Form[Any] | None = None,
    *,
    chosen: Form[Any] | None = None,
    mistakes: Mistakes | None = None,
    done: NewAddress | None = None,
    status: int = 200,
) -> Response:
    context = {
        "register": register,
        "form": form or forms.empty(),
        "chosen": chosen or forms.empty(),
        "mistakes": mistakes or Mistakes(),
        "done": done or NewAddress(),
        "kinds": forms.words(LIMIT_KINDS, request),
        "most": file.ROWS_MOST,
    }
    return rendering.page(request, platform, "payment/registers_new.html", context, status)


async def _entry(
    request: Request,
    platform: Platform,
    principal: Principal,
    register: Register,
    *,
    number: int,
    form: Form[Any],
    status: int = 200,
) -> Response:
    kept = await desk.look(request, platform, principal, lambda cx: keeping.read(cx, register, number))
    context = {
        "register": register,
        "kept": kept,
        "form": form,
        "may_close": _may(principal) and kept.valid_to is None,
        "kinds": LIMIT_KINDS,
        "zone": SHANGHAI,
    }
    return rendering.page(request, platform, "payment/registers_entry.html", context, status)
