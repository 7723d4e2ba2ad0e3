"""API keys of outside systems: the key is its session's token, and the session is opened when it is used."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from jincai.auth import reach, roles
from jincai.auth.sessions import hashed
from jincai.errors import ConfigurationError

# Tells a key from a person's session, to us and to who searches for leaked ones.
PREFIX = "jincai_"
SESSION_SECONDS = 8 * 3600
DAYS_MOST = 730

_ADD = """
WITH noted AS (
    INSERT INTO auth.change (actor, kind, account, detail) VALUES (%(by)s, 'key_added', %(name)s, %(detail)s)
)
INSERT INTO auth.api_key (name, key_sha256, permissions, divisions, created_by, expires_at)
VALUES (%(name)s, %(hash)s, %(permissions)s, %(divisions)s, %(by)s,
        clock_timestamp() + make_interval(days => %(days)s))
"""
_REVOKE = """
WITH revoked AS (
    UPDATE auth.api_key SET revoked_at = clock_timestamp() WHERE name = %(name)s AND revoked_at IS NULL
    RETURNING id, name
), closed AS (
    DELETE FROM auth.session WHERE api_key_id IN (SELECT id FROM revoked)
), noted AS (
    INSERT INTO auth.change (actor, kind, account) SELECT %(by)s, 'key_revoked', name FROM revoked
)
SELECT count(*) FROM revoked
"""
_KEY = """
SELECT id, name, permissions, divisions
  FROM auth.api_key
 WHERE key_sha256 = %s AND revoked_at IS NULL AND expires_at > statement_timestamp()
   FOR SHARE
"""
_OPEN = """
INSERT INTO auth.session (token_sha256, api_key_id, actor, permissions, divisions, expires_at)
SELECT key_sha256, id, name, permissions, %(divisions)s::text[],
       least(expires_at, clock_timestamp() + make_interval(secs => %(seconds)s))
  FROM auth.api_key
 WHERE id = %(id)s
    ON CONFLICT (token_sha256) DO UPDATE
   SET permissions = excluded.permissions,
       divisions = excluded.divisions,
       expires_at = excluded.expires_at
"""


@dataclass(frozen=True)
class _Key:
    id: int
    name: str
    permissions: list[str]
    divisions: list[str] | None


def add(
    cx: psycopg.Connection,
    name: str,
    permissions: Sequence[str],
    *,
    divisions: Sequence[str] | None,
    days: int,
    by: str,
) -> str:
    """A new key for ``days``; it is told once, here. ``divisions`` reach those below them; None: all.

    Raises:
        ConfigurationError: a permission does not exist, or the name is taken.
    """
    roles.check_permissions(permissions)
    key = PREFIX + secrets.token_urlsafe(32)
    codes = None if divisions is None else list(divisions)
    try:
        cx.execute(
            _ADD,
            {
                "name": name,
                "hash": hashed(key),
                "permissions": list(permissions),
                "divisions": codes,
                "by": by,
                "days": days,
                "detail": Jsonb({"permissions": list(permissions), "divisions": codes, "days": days}),
            },
        )
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(f"there is a key {name} already", "Choose another name.") from None
    return key


def revoke(cx: psycopg.Connection, name: str, *, by: str) -> None:
    """Make the key worthless at once.

    Raises:
        ConfigurationError: no key of this name is in use.
    """
    row = cx.execute(_REVOKE, {"name": name, "by": by}).fetchone()
    if not row or not row[0]:
        raise ConfigurationError(f"no key {name} is in use", "Names are as given to jincai key add.")


async def open_session(cx: AsyncConnection, key: str) -> bool:
    """Open the session of ``key``, or prolong it; false if the key is not good. ``cx`` as the log-in role."""
    async with cx.cursor(row_factory=class_row(_Key)) as cursor:
        found = await (await cursor.execute(_KEY, (hashed(key),))).fetchone()
    if found is None:
        return False
    divisions = await reach.reached(cx, found.divisions)
    await cx.execute(_OPEN, {"id": found.id, "divisions": divisions, "seconds": SESSION_SECONDS})
    return True
