"""Sessions: a secret token that the client keeps, and what it may do, which the database keeps."""

import hashlib
import secrets
from collections.abc import Sequence

import psycopg
from psycopg import AsyncConnection

OPEN = """
INSERT INTO auth.session
       (token_sha256, account_id, api_key_id, actor, permissions, divisions, agencies, expires_at)
VALUES (%(hash)s, %(account_id)s, %(api_key_id)s, %(actor)s, %(permissions)s, %(divisions)s, %(agencies)s,
        clock_timestamp() + make_interval(secs => %(seconds)s))
"""


def new_token() -> str:
    """A token nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def arguments(
    token: str,
    actor: str,
    permissions: Sequence[str],
    seconds: float,
    *,
    divisions: Sequence[str] | None = None,
    agencies: Sequence[str] | None = None,
    account_id: int | None = None,
    api_key_id: int | None = None,
) -> dict[str, object]:
    """What `OPEN` needs; ``divisions`` and ``agencies`` None: all."""
    return {
        "hash": hashed(token),
        "account_id": account_id,
        "api_key_id": api_key_id,
        "actor": actor,
        "permissions": list(permissions),
        "divisions": None if divisions is None else list(divisions),
        "agencies": None if agencies is None else list(agencies),
        "seconds": seconds,
    }


def open_for_process(
    cx: psycopg.Connection,
    actor: str,
    permissions: Sequence[str],
    seconds: float,
    *,
    divisions: Sequence[str] | None = None,
    agencies: Sequence[str] | None = None,
) -> str:
    """A token for a process of the platform itself, for all divisions and units unless some are given.

    ``cx`` as owner or log-in role.
    """
    token = new_token()
    cx.execute(OPEN, arguments(token, actor, permissions, seconds, divisions=divisions, agencies=agencies))
    return token


async def open_session(cx: AsyncConnection, session: dict[str, object]) -> None:
    """Record a session, given as by `arguments`; ``cx`` as the log-in role."""
    await cx.execute(OPEN, session)
