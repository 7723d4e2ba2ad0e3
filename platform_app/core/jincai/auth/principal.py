"""Who asks: the session behind a request, and what it may do."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from psycopg import AsyncConnection

from jincai.auth.sessions import hashed
from jincai.platform import platform_of

COOKIE = "jincai_session"
# What a process remembers of a session; PostgreSQL itself asks anew in every statement.
REMEMBERED_SECONDS = 5.0
REMEMBERED_MOST = 10_000

_SESSION = """
SELECT actor, permissions, divisions, agencies, account_id
  FROM auth.session
 WHERE token_sha256 = %s AND expires_at > statement_timestamp()
"""

_Row = tuple[str, list[str], list[str] | None, list[str] | None, int | None]


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


class Remembered:
    """Sessions seen in the last seconds, so that not every request asks twice."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Principal]] = {}

    def get(self, token: str) -> Principal | None:
        """The principal, if it was looked up within `REMEMBERED_SECONDS`."""
        at, found = self._known.get(token, (0.0, None))
        return found if time.monotonic() - at < REMEMBERED_SECONDS else None

    def put(self, principal: Principal) -> None:
        """Remember what was looked up just now."""
        if len(self._known) >= REMEMBERED_MOST:
            self._known.clear()
        self._known[principal.token] = (time.monotonic(), principal)

    def forget(self, token: str) -> None:
        """Nothing of this session: it was closed."""
        self._known.pop(token, None)


async def principal_of(request: Request) -> Principal:
    """The principal of ``request``: by its session cookie, or by ``Authorization: Bearer``.

    Raises:
        HTTPException: 401, nobody or nobody any more.
    """
    token = token_of(request)
    remembered: Remembered = request.app.state.remembered
    if token and (known := remembered.get(token)):
        return known
    found = await _look_up(request, token) if token else None
    if found is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    remembered.put(found)
    return found


def token_of(request: Request) -> str | None:
    """The token that came with ``request``, if any."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE)


async def _look_up(request: Request, token: str) -> Principal | None:
    async def ask(cx: AsyncConnection) -> _Row | None:
        return await (await cx.execute(_SESSION, (hashed(token),))).fetchone()

    row = await platform_of(request).door.read(ask)
    if row is None:
        return None
    actor, permissions, divisions, agencies, account = row
    return Principal(
        token,
        actor,
        frozenset(permissions),
        None if divisions is None else tuple(divisions),
        None if agencies is None else tuple(agencies),
        account,
    )


PrincipalOf = Annotated[Principal, Depends(principal_of)]


def may(permission: str) -> Callable[[Principal], Principal]:
    """A dependency: the principal, if it has ``permission``; otherwise 403, naming what is missing."""

    def allowed(principal: PrincipalOf) -> Principal:
        if permission not in principal.permissions:
            raise HTTPException(403, f"{permission}")
        return principal

    return allowed
