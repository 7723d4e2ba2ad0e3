"""Who asks: the session behind a request, and what it may do."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated

import psycopg
from fastapi import Depends, HTTPException, Request
from psycopg import AsyncConnection
from starlette.requests import HTTPConnection

from jincai import language
from jincai.auth import keys, roles
from jincai.auth.sessions import hashed
from jincai.database import WAIT_SECONDS, Database
from jincai.errors import DatabaseUnavailableError
from jincai.platform import platform_of

COOKIE = "jincai_session"
# What a process remembers of a session; PostgreSQL itself asks anew in every statement.
REMEMBERED_SECONDS = 5.0
REMEMBERED_MOST = 10_000

# A key's session is prolonged in its last minute, before a request that is under way could lose it.
_SESSION = """
SELECT actor, permissions, divisions, agencies, account_id,
       extract(epoch FROM expires_at - statement_timestamp())::float8
  FROM auth.session
 WHERE token_sha256 = %s
   AND expires_at > statement_timestamp()
                    + CASE WHEN api_key_id IS NULL THEN interval '0' ELSE interval '1 minute' END
"""
_NOT_SET_UP = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)


@dataclass(frozen=True)
class Principal:
    """A person, an outside system or a process.

    Attributes:
        token: the session's secret, which PostgreSQL is shown.
        actor: log-in name, or the key's or process's name; what entries carry as their maker.
        permissions: such as ``payment.review``.
        divisions: codes it may see, None for all.
        agencies: units it may see within them, None for all.
        account_id: of a person.
    """

    token: str
    actor: str
    permissions: frozenset[str]
    divisions: tuple[str, ...] | None
    agencies: tuple[str, ...] | None
    account_id: int | None = None


# The principal, and how many seconds its session still runs.
Found = tuple[Principal, float] | None


class Remembered:
    """Sessions seen in the last seconds, so that not every request asks, and never two at once for one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Principal]] = {}
        self._asking: dict[str, asyncio.Task[Found]] = {}

    def get(self, token: str) -> Principal | None:
        """The principal, if it was looked up within `REMEMBERED_SECONDS` and its session still runs."""
        until, found = self._known.get(token, (0.0, None))
        return found if time.monotonic() < until else None

    async def or_ask(self, token: str, ask: Callable[[], Coroutine[None, None, Found]]) -> Principal | None:
        """The principal as remembered, else as ``ask`` finds it."""
        if known := self.get(token):
            return known
        asking = self._asking.get(token)
        if asking is None:
            asking = asyncio.create_task(ask())
            self._asking[token] = asking
            asking.add_done_callback(lambda _: self._asking.pop(token, None))
        # One request that is given up must not take the answer from the others.
        found = await asyncio.shield(asking)
        if found is None:
            return None
        principal, seconds = found
        self._put(principal, seconds)
        return principal

    def _put(self, principal: Principal, seconds: float) -> None:
        if len(self._known) >= REMEMBERED_MOST:
            self._known.clear()
        self._known[principal.token] = (time.monotonic() + min(REMEMBERED_SECONDS, seconds), principal)

    def forget(self, token: str) -> None:
        """Nothing of this session: it was closed."""
        self._known.pop(token, None)


async def principal_of(request: Request) -> Principal:
    """The principal of ``request``: by its session cookie, or by ``Authorization: Bearer``.

    Raises:
        HTTPException: 401, nobody or nobody any more.
        DatabaseUnavailableError: no primary answers.
    """
    found = await principal_or_none(request)
    if found is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return found


async def principal_or_none(request: Request, within: float = WAIT_SECONDS) -> Principal | None:
    """The principal of ``request``, or None for nobody; pages then find it in ``request.state``.

    Raises:
        HTTPException: 503, the database knows no sessions yet.
        DatabaseUnavailableError: no answer ``within`` so many seconds.
    """
    token = token_of(request)
    if not token:
        return None
    remembered: Remembered = request.app.state.remembered
    door = platform_of(request).door
    try:
        found = await remembered.or_ask(token, lambda: _look_up(door, token, within))
    except _NOT_SET_UP as error:
        raise HTTPException(503, _no_login(request)) from error
    request.state.principal = found
    return found


async def principal_if_known(request: Request, within: float) -> Principal | None:
    """Like `principal_or_none`, for pages that must show themselves whatever happens: then None."""
    try:
        return await principal_or_none(request, within)
    except (HTTPException, DatabaseUnavailableError, psycopg.Error):
        return None


def token_of(request: HTTPConnection) -> str | None:
    """The token that came with ``request``, if any."""
    return bearer_of(request) or request.cookies.get(COOKIE)


def bearer_of(request: HTTPConnection) -> str | None:
    """The token in ``Authorization: Bearer``, which no browser adds by itself."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() or None if scheme.lower() == "bearer" else None


async def _look_up(door: Database, token: str, within: float) -> Found:
    found = await door.read(lambda cx: _session(cx, token), within=within)
    if found is None and token.startswith(keys.PREFIX):
        opened = await door.write(
            lambda cx: keys.open_session(cx, token), token=None, repeatable=True, within=within
        )
        if opened:
            found = await door.read(lambda cx: _session(cx, token), within=within)
    return found


async def _session(cx: AsyncConnection, token: str) -> Found:
    row = await (await cx.execute(_SESSION, (hashed(token),))).fetchone()
    if row is None:
        return None
    actor, permissions, divisions, agencies, account, seconds = row
    principal = Principal(
        token,
        actor,
        frozenset(permissions),
        None if divisions is None else tuple(divisions),
        None if agencies is None else tuple(agencies),
        account,
    )
    return principal, seconds


PrincipalOf = Annotated[Principal, Depends(principal_of)]


def may(permission: str) -> Callable[[Request, Principal], Coroutine[None, None, Principal]]:
    """A dependency: the principal, if it has ``permission``; otherwise 403, naming what is missing."""

    async def allowed(request: Request, principal: PrincipalOf) -> Principal:
        require(request, principal, permission)
        return principal

    return allowed


def require(request: Request, principal: Principal, permission: str) -> None:
    """Refuse who lacks ``permission``.

    Raises:
        HTTPException: 403, naming what is missing in the reader's language.
    """
    if permission not in principal.permissions:
        chinese, english = roles.PERMISSIONS.get(permission, (permission, permission))
        zh = language.of(request) == "zh"
        raise HTTPException(
            403,
            f"缺少权限“{chinese}”({permission}),请联系安全管理员。"
            if zh
            else f"Missing permission to {english} ({permission}); ask the security administrator.",
        )


def _no_login(request: Request) -> str:
    if language.of(request) == "zh":
        return "数据库尚未建立登录所需的表或权限,请运行 jincai migrate 并检查 JINCAI_AUTH_DATABASE_URL。"
    return "The database is not set up for log-ins: run jincai migrate, check JINCAI_AUTH_DATABASE_URL."
