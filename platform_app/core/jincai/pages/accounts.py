"""The account desk's pages (账户管理), for the security administrator."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai import language
from jincai.auth import desk, desk_rows
from jincai.auth.changes import SUBJECT
from jincai.auth.desk import DeskError, NewAccount, OneTime, Why
from jincai.auth.desk_routes import LoginOf, Manager, passwords_of
from jincai.auth.desk_rows import AccountQuery, AccountRow
from jincai.auth.passwords import TooManyTriesError
from jincai.auth.roles import ROLES
from jincai.pages import forms, rendering
from jincai.pages.forms import Form
from jincai.pages.query import PageAddress
from jincai.platform import Platform, PlatformOf

router = APIRouter(prefix="/accounts", include_in_schema=False, default_response_class=HTMLResponse)

STATES = {
    "active": ("正常", "Active"),
    "locked": ("已锁定", "Locked"),
    "shut_out": ("失败过多,暂时锁定", "Locked for minutes after failures"),
}
ACTIONS = {
    "lock": ("锁定账户", "Lock"),
    "unlock": ("解锁账户", "Unlock"),
    "password": ("设置一次性口令", "Set a one-time password"),
    "subject": ("设置单点登录标识", "Set the single sign-on subject"),
}
_BETWEEN = re.compile(r"[\s,,、;;]+")


class AccountsPageQuery(AccountQuery, PageAddress):
    """The list's address."""


class AccountForm(NewAccount):
    """The form of a new account: codes with anything between them, and a tick for every division."""

    @model_validator(mode="before")
    @classmethod
    def _from_fields(cls, given: Any) -> Any:  # pydantic hands over whatever it was given
        fields = dict(given)
        for name in ("divisions", "agencies"):
            if isinstance(fields.get(name), str):
                fields[name] = [code for code in _BETWEEN.split(fields[name]) if code]
        if fields.pop("everywhere", None):
            fields["divisions"] = None
        return fields


class ActionForm(BaseModel):
    """What is to be done with an account, and why; ``subject`` for that action alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal["lock", "unlock", "password", "subject"]
    subject: Annotated[str, Field(pattern=rf"^{SUBJECT.pattern}$")] | None = None
    why: Why


@router.get("")
async def accounts_page(
    request: Request, platform: PlatformOf, asked: Annotated[AccountsPageQuery, Query()], _: Manager
) -> Response:
    """The accounts."""
    page = await platform.door.read(lambda cx: desk_rows.find(cx, asked))
    return _answer(request, platform, "accounts.html", {"page": page, "asked": asked})


@router.get("/new")
async def new_page(request: Request, platform: PlatformOf, _: Manager) -> Response:
    """The form of a new account."""
    return _answer(request, platform, "account_new.html", {"form": forms.empty()})


@router.post("/new")
async def add(request: Request, platform: PlatformOf, principal: Manager) -> Response:
    """Make an account; the page tells the one-time password, this once."""
    form = await forms.read(request, AccountForm, several=frozenset({"roles"}))
    _fold(form)
    if form.value:
        try:
            once = await desk.add(platform.door, passwords_of(request), form.value, principal.actor)
        except DeskError as error:
            form.refuse(_words(request, error), error.field)
        except TooManyTriesError:
            raise HTTPException(503) from None
        else:
            return _once(request, platform, once)
    return _answer(request, platform, "account_new.html", {"form": form}, 422)


@router.get("/{login}")
async def account_page(request: Request, login: LoginOf, platform: PlatformOf, _: Manager) -> Response:
    """One account, and what can be done with it."""
    context = {"one": await _one(request, platform, login), "form": forms.empty()}
    return _answer(request, platform, "account.html", context)


@router.post("/{login}")
async def act(request: Request, login: LoginOf, platform: PlatformOf, principal: Manager) -> Response:
    """Lock, unlock, give a one-time password or set the subject."""
    one = await _one(request, platform, login)
    form = await forms.read(request, ActionForm)
    if form.value:
        try:
            once = await _done(request, platform, login, form.value, principal.actor)
        except DeskError as error:
            form.refuse(_words(request, error), error.field)
        except TooManyTriesError:
            raise HTTPException(503) from None
        else:
            return _once(request, platform, once) if once else RedirectResponse(f"/accounts/{login}", 303)
    return _answer(request, platform, "account.html", {"one": one, "form": form}, 422)


async def _done(
    request: Request, platform: Platform, login: str, asked: ActionForm, by: str
) -> OneTime | None:
    if asked.action == "password":
        return await desk.renew(platform.door, passwords_of(request), login, by=by, why=asked.why)
    if asked.action == "subject":
        await desk.link(platform.door, login, asked.subject, by=by, why=asked.why)
    else:
        await desk.switch(platform.door, login, active=asked.action == "unlock", by=by, why=asked.why)
    return None


async def _one(request: Request, platform: Platform, login: str) -> AccountRow:
    found = await platform.door.read(lambda cx: desk_rows.get(cx, login))
    if found is None:
        raise HTTPException(404, _words(request, desk.nobody(login)))
    return found


def _fold(form: Form[AccountForm]) -> None:
    """A mistake in one code of a list belongs beside the field that holds the list."""
    for name in list(form.errors):
        if "." in name:
            form.errors.setdefault(name.partition(".")[0], form.errors[name])


def _once(request: Request, platform: Platform, once: OneTime) -> Response:
    return _answer(request, platform, "account_once.html", {"once": once})


def _words(request: Request, error: DeskError) -> str:
    return error.chinese if language.of(request) == "zh" else error.english


def _answer(
    request: Request, platform: Platform, template: str, context: dict[str, object], status: int = 200
) -> Response:
    known = {"roles": ROLES, "states": STATES, "actions": forms.words(ACTIONS, request)}
    return rendering.page(request, platform, template, known | context, status)
