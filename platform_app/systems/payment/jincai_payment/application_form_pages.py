"""The form of an application: written anew, or edited while it is in the unit's hands."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from jincai import language
from jincai.auth.principal import Principal
from jincai.database import Work
from jincai.money import yuan
from jincai.pages import forms, rendering
from jincai.pages.forms import Form, Yuan
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection
from pydantic import ConfigDict, Field

from jincai_payment import applications, choices, desk, voucher
from jincai_payment.application import Application, ApplicationAsked, Content
from jincai_payment.desk import DeskError, Id
from jincai_payment.desk_api import Unit
from jincai_payment.voucher import Voucher
from jincai_payment.words import ASKED_KINDS

router = APIRouter(prefix="/payment/applications", include_in_schema=False)

# People write what is undone as a positive amount, too.
_Amount = Annotated[Yuan, Field(gt=0)]


class ContentForm(Content):
    """The form of an application that is there: the amount is written in yuan and without a sign."""

    amount: _Amount


class ApplicationForm(ApplicationAsked):
    """The form of a new application: the amount is written in yuan and without a sign."""

    amount: _Amount


class NewApplication(PageAddress):
    """The address of an empty form; ``undoes`` names a payment to be undone, ``quota_id`` a quota."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    undoes: Id | None = None
    quota_id: Id | None = None


@router.get("/new")
async def new_application(
    request: Request, platform: PlatformOf, principal: Unit, asked: Annotated[NewApplication, Query()]
) -> Response:
    """The form of an application."""
    form = forms.empty(
        idempotency_key=secrets.token_urlsafe(16),
        kind="payment",
        quota_id=str(asked.quota_id or ""),
        payee_kind_code="1",
        set_mode_code="1",
    )
    if asked.undoes is not None:
        number = asked.undoes
        paid = await desk.look(request, platform, principal, lambda cx: voucher.read(cx, number))
        form.given |= _of_payment(paid)
    return await _form(request, platform, principal, form)


@router.post("/new")
async def make_application(request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """Write the draft that the form says."""
    form = await forms.read(request, ApplicationForm)
    if form.value is None:
        return await _form(request, platform, principal, form, status=422)
    asked = form.value.model_copy(update={"amount": _signed(form.value)})
    return await _written(
        request, platform, principal, form, lambda cx: applications.make(cx, principal, asked)
    )


@router.get("/{application_id}/edit")
async def edit_page(application_id: Id, request: Request, platform: PlatformOf, principal: Unit) -> Response:
    """The form with what the application says now."""
    found = await desk.look(request, platform, principal, lambda cx: applications.read(cx, application_id))
    return await _form(
        request, platform, principal, forms.empty(**_of_application(found)), application_id=application_id
    )


@router.post("/{application_id}/edit")
async def edit_application(
    application_id: Id, request: Request, platform: PlatformOf, principal: Unit
) -> Response:
    """Change it to what the form says."""
    form = await forms.read(request, ContentForm)
    if form.value is None:
        return await _form(request, platform, principal, form, application_id=application_id, status=422)
    asked = form.value.model_copy(update={"amount": _signed(form.value)})
    return await _written(
        request,
        platform,
        principal,
        form,
        lambda cx: applications.edit(cx, principal, application_id, asked),
        application_id=application_id,
    )


async def _written(
    request: Request,
    platform: Platform,
    principal: Principal,
    form: Form[Any],
    work: "Work[Application]",
    *,
    application_id: int | None = None,
) -> Response:
    try:
        made = await desk.write(platform, principal, work)
    except DeskError as error:
        form.refuse(error.text(request), error.field)
        return await _form(
            request, platform, principal, form, application_id=application_id, status=error.status
        )
    return RedirectResponse(f"/payment/applications/{made.id}", 303)


def _signed(asked: Content) -> int:
    return asked.amount if asked.kind == "payment" else -asked.amount


def _of_application(found: Application) -> dict[str, str]:
    said = found.model_dump(include=set(Content.model_fields))
    given = {name: "" if value is None else str(value) for name, value in said.items()}
    return given | {"amount": yuan(abs(found.amount))}


def _of_payment(paid: Voucher) -> dict[str, str]:
    """A refund of what is left of a payment."""
    same = ("payee_name", "payee_account", "payee_bank", "payee_kind_code", "set_mode_code", "purpose")
    given = {name: str(getattr(paid, name)) for name in same}
    return given | {
        "kind": "refund",
        "undoes": str(paid.id),
        "quota_id": str(paid.quota_id),
        "amount": yuan(paid.left),
    }


async def _form(
    request: Request,
    platform: Platform,
    principal: Principal,
    form: Form[Any],
    *,
    application_id: int | None = None,
    status: int = 200,
) -> Response:
    lang = language.of(request)
    also = choices.number(form.given.get("quota_id", ""))

    async def ask(cx: AsyncConnection) -> dict[str, object]:
        return {"quotas": await choices.quotas(cx, lang, also), "codes": await choices.codes(cx)}

    context = await platform.database.read(ask, token=principal.token) | {
        "form": form,
        "application_id": application_id,
        "kinds": forms.words(ASKED_KINDS, request),
    }
    return rendering.page(request, platform, "payment/application_form.html", context, status)
