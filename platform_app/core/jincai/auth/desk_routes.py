"""Accounts and the audit trail over HTTP: `/api/v1/auth/accounts…` and `/api/v1/audit`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from jincai import language, problems
from jincai.auth import desk, desk_rows, trail
from jincai.auth.desk import (
    DeskError,
    Login,
    NewAccount,
    NewSubject,
    OneTime,
    Reason,
)
from jincai.auth.desk_rows import AccountQuery, AccountRow
from jincai.auth.passwords import Passwords, TooManyTriesError
from jincai.auth.principal import Principal, may
from jincai.auth.trail import Trail, TrailQuery
from jincai.paging import Page
from jincai.platform import PlatformOf

router = APIRouter(prefix="/api/v1", tags=["auth"])
_NONE: dict[int | str, dict[str, Any]] = {404: {"model": problems.Problem}, 409: {"model": problems.Problem}}

Manager = Annotated[Principal, Depends(may("auth.manage"))]
LoginOf = Annotated[Login, Path()]


@router.get("/auth/accounts")
async def accounts(
    asked: Annotated[AccountQuery, Query()], platform: PlatformOf, _: Manager
) -> Page[AccountRow]:
    """Accounts, by log-in name."""
    return await platform.door.read(lambda cx: desk_rows.find(cx, asked))


@router.get("/auth/accounts/{login}", responses=_NONE)
async def account(request: Request, login: LoginOf, platform: PlatformOf, _: Manager) -> AccountRow:
    """One account."""
    with told(request):
        found = await platform.door.read(lambda cx: desk_rows.get(cx, login))
        if found is None:
            raise desk.nobody(login)
        return found


@router.post("/auth/accounts", status_code=201, responses=_NONE)
async def add(
    request: Request, answer: Response, asked: NewAccount, platform: PlatformOf, principal: Manager
) -> OneTime:
    """Make an account; the answer holds the password for its first log-in, this once."""
    answer.headers["Cache-Control"] = "no-store"
    with told(request):
        return await desk.add(platform.door, passwords_of(request), asked, principal.actor)


@router.post("/auth/accounts/{login}/lock", status_code=204, responses=_NONE)
async def lock(
    request: Request, login: LoginOf, asked: Reason, platform: PlatformOf, principal: Manager
) -> None:
    """Let the account in no more and end its sessions."""
    with told(request):
        await desk.switch(platform.door, login, active=False, by=principal.actor, why=asked.why)


@router.post("/auth/accounts/{login}/unlock", status_code=204, responses=_NONE)
async def unlock(
    request: Request, login: LoginOf, asked: Reason, platform: PlatformOf, principal: Manager
) -> None:
    """Let the account in again, also after failed tries."""
    with told(request):
        await desk.switch(platform.door, login, active=True, by=principal.actor, why=asked.why)


@router.post("/auth/accounts/{login}/password", responses=_NONE)
async def renew(
    request: Request,
    answer: Response,
    *,
    login: LoginOf,
    asked: Reason,
    platform: PlatformOf,
    principal: Manager,
) -> OneTime:
    """Give the account a password for one log-in, told this once, and end its sessions."""
    answer.headers["Cache-Control"] = "no-store"
    passwords = passwords_of(request)
    with told(request):
        return await desk.renew(platform.door, passwords, login, by=principal.actor, why=asked.why)


@router.post("/auth/accounts/{login}/subject", status_code=204, responses=_NONE)
async def link(
    request: Request, login: LoginOf, asked: NewSubject, platform: PlatformOf, principal: Manager
) -> None:
    """Say what the identity provider calls the person, and end the account's sessions."""
    with told(request):
        await desk.link(platform.door, login, asked.subject, by=principal.actor, why=asked.why)


@router.get("/audit", dependencies=[Depends(may("audit.read"))])
async def audit(asked: Annotated[TrailQuery, Query()], platform: PlatformOf) -> Trail:
    """The audit trail, newest first, by actor, account, kind and period."""
    return await platform.door.read(lambda cx: trail.find(cx, asked))


def passwords_of(request: Request) -> Passwords:
    """What hashes this process's passwords, a few at a time."""
    found = request.app.state.passwords
    if not isinstance(found, Passwords):
        raise TypeError("the application was not made by jincai.app.create")
    return found


@contextmanager
def told(request: Request) -> Iterator[None]:
    """What the desk refuses, as a problem in the reader's language.

    Raises:
        HTTPException: it was refused, or too many people want passwords at once.
    """
    try:
        yield
    except DeskError as error:
        text = error.chinese if language.of(request) == "zh" else error.english
        raise HTTPException(error.status, text) from error
    except TooManyTriesError as error:
        raise HTTPException(503) from error
