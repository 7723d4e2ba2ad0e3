"""Logging in with a password: tries are counted before they are made, failures all take the same time.

Who was recognised otherwise, by the identity provider, gets a session here as well.
"""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai.auth import reach, roles, sessions, trail
from jincai.auth.passwords import MOST_CHARACTERS, Passwords
from jincai.auth.roles import Granted
from jincai.database import Database
from jincai.errors import ConfigurationError

log = logging.getLogger(__name__)

SESSION_SECONDS = 8 * 3600
# Every failure is answered after this long, so that the time taken does not tell which log-ins exist.
FAILURE_SECONDS = 0.5
FAILURES_MOST = 5
LOCKED_MINUTES = 15

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
# Stands in trails for what the platform does by itself, such as raising an overdue case.
RESERVED = frozenset({"system"})

# Counted before the password is tried: however many try at once, five tries are five tries.
_COUNT_TRY = """
UPDATE auth.account AS a
   SET failed_attempts = tried.number,
       locked_until = CASE WHEN tried.number >= %(most)s
                           THEN clock_timestamp() + make_interval(mins => %(minutes)s) END
  FROM (SELECT id, CASE WHEN locked_until IS NULL THEN failed_attempts + 1 ELSE 1 END AS number
          FROM auth.account
         WHERE login = %(login)s
           AND active
           AND password_hash IS NOT NULL
           AND (password_once_until IS NULL OR password_once_until > clock_timestamp())
           AND (locked_until IS NULL OR locked_until <= clock_timestamp())
           FOR UPDATE) AS tried
 WHERE a.id = tried.id
RETURNING a.id, a.login, a.password_hash, a.password_once_until IS NOT NULL AS once,
          a.locked_until IS NOT NULL AS last_try
"""
# Nothing if it was switched off, or got another password, since the try.
_SUCCEEDED = """
UPDATE auth.account SET failed_attempts = 0, locked_until = NULL
 WHERE id = %(id)s AND active AND password_hash IS NOT DISTINCT FROM %(kept)s
"""
_CHANGED = """
WITH changed AS (
    UPDATE auth.account SET password_hash = %(hash)s, password_once_until = NULL WHERE id = %(id)s
    RETURNING id
)
DELETE FROM auth.session WHERE account_id IN (SELECT id FROM changed)
"""
_BY_SUBJECT = """
SELECT id, login, password_hash, false AS once, false AS last_try,
       active AND (locked_until IS NULL OR locked_until <= clock_timestamp()) AS welcome
  FROM auth.account
 WHERE oidc_subject = %s
   FOR NO KEY UPDATE
"""
_GRANTS = "SELECT role, division, agency_code AS agency FROM auth.role_grant WHERE account_id = %s"
_CLOSE = """
WITH closed AS (DELETE FROM auth.session WHERE token_sha256 = %s AND account_id IS NOT NULL RETURNING actor)
INSERT INTO auth.change (actor, kind, account) SELECT actor, 'logout', actor FROM closed
"""
_TIDY = "DELETE FROM auth.session WHERE expires_at < clock_timestamp() - interval '1 day'"


class RefusedError(Exception):
    """Nobody was logged in: unknown, wrong, locked or switched off. Which, is not for the asker to know."""


class UnusableError(Exception):
    """The right password, but roles that one person may not hold together, or that nobody knows any more."""


class OnceError(Exception):
    """The right password, but one for one log-in: another has to be chosen with it."""


class UnknownSubjectError(Exception):
    """The identity provider knows the person; no account here is theirs."""


@dataclass(frozen=True)
class _Account:
    """A person at the door; ``last_try``: a failure now has locked the account."""

    id: int
    login: str
    password_hash: str | None
    once: bool
    last_try: bool
    welcome: bool = True


async def log_in(
    door: Database, passwords: Passwords, login: str, password: str, new: str | None = None
) -> str:
    """The token of a new session for who gives the right password; ``new`` then takes its place.

    Raises:
        RefusedError: log-in and password do not open an account, or not now.
        OnceError: the password is for one log-in, and no new one was given.
        UnusableError: the account's roles do not go together.
        ConfigurationError: the new password is too short, too long or the present one.
        TooManyTriesError: too many people try at once.
        DatabaseUnavailableError: no primary answers.
    """
    began = time.monotonic()
    account = await _tried(door, login)
    fits = await passwords.fits(password[: MOST_CHARACTERS + 1], account.password_hash if account else None)
    if account is None or not fits:
        await door.write(lambda cx: _note_failure(cx, account), token=None, repeatable=True)
        await asyncio.sleep(max(0.0, FAILURE_SECONDS - (time.monotonic() - began)))
        raise RefusedError
    if new is None and account.once:
        raise OnceError
    if new == password:
        raise ConfigurationError("the new password is the present one", "Choose another.")
    hashed = None if new is None else await passwords.hashed(new)
    token = await _opened(door, account, "password", hashed)
    log.info("%s logged in", account.login)
    return token


async def log_in_as(door: Database, subject: str) -> str:
    """The token of a new session for whom the identity provider calls ``subject``.

    Raises:
        UnknownSubjectError: no account has this subject.
        RefusedError: the account is locked or switched off.
        UnusableError: the account's roles do not go together.
        DatabaseUnavailableError: no primary answers.
    """

    async def find(cx: AsyncConnection) -> _Account | None:
        async with cx.cursor(row_factory=class_row(_Account)) as cursor:
            account = await (await cursor.execute(_BY_SUBJECT, (subject,))).fetchone()
        if account is None:
            await trail.note_stranger(cx, "refused", {"subject": subject})
        elif not account.welcome:
            await _note(cx, "refused", account.login, {"by": "oidc"})
        return account

    account = await door.write(find, token=None, repeatable=True)
    if account is None:
        raise UnknownSubjectError
    if not account.welcome:
        raise RefusedError
    token = await _opened(door, account, "oidc")
    log.info("%s logged in by the identity provider", account.login)
    return token


async def log_out(door: Database, token: str) -> None:
    """End the session of ``token``, if there is one."""

    async def close(cx: AsyncConnection) -> None:
        await cx.execute(_CLOSE, (sessions.hashed(token),))

    await door.write(close, token=None, repeatable=True)


async def _tried(door: Database, login: str) -> _Account | None:
    asked = {
        # Never a log-in: found nowhere, in the same time.
        "login": login if LOGIN.fullmatch(login) else "-",
        "most": FAILURES_MOST,
        "minutes": LOCKED_MINUTES,
    }

    async def count(cx: AsyncConnection) -> _Account | None:
        async with cx.cursor(row_factory=class_row(_Account)) as cursor:
            return await (await cursor.execute(_COUNT_TRY, asked)).fetchone()

    # Counted twice at worst, when a COMMIT's answer is lost.
    return await door.write(count, token=None, repeatable=True)


async def _note_failure(cx: AsyncConnection, account: _Account | None) -> None:
    if account is None:
        await trail.note_stranger(cx, "unknown")
        return
    log.warning("log-in of %s refused: wrong password", account.login)
    await _note(cx, "failed", account.login)
    if account.last_try:
        await _note(cx, "shut_out", account.login)


async def _note(
    cx: AsyncConnection, kind: str, login: str, detail: Mapping[str, object] | None = None
) -> None:
    await cx.execute(trail.NOTE, trail.values(login, kind, login, detail=detail))


async def _opened(door: Database, account: _Account, by: str, new_hash: str | None = None) -> str:
    try:
        return await door.write(lambda cx: _open(cx, account, by, new_hash), token=None)
    except UnusableError:
        detail = {"by": by, "roles": "exclude each other"}
        await door.write(lambda cx: _note(cx, "refused", account.login, detail), token=None, repeatable=True)
        raise


async def _open(cx: AsyncConnection, account: _Account, by: str, new_hash: str | None) -> str:
    known = {"id": account.id, "kept": account.password_hash}
    if (await cx.execute(_SUCCEEDED, known)).rowcount == 0:
        raise RefusedError
    if new_hash is not None:
        await cx.execute(_CHANGED, {"id": account.id, "hash": new_hash})
        await _note(cx, "password_changed", account.login)
    token = await _session(cx, account)
    await _note(cx, "login", account.login, {"by": by})
    return token


async def _session(cx: AsyncConnection, account: _Account) -> str:
    async with cx.cursor(row_factory=class_row(Granted)) as cursor:
        grants = await (await cursor.execute(_GRANTS, (account.id,))).fetchall()
    try:
        granted = roles.extent(grants)
    except ConfigurationError as error:
        log.warning("log-in of %s refused: %s", account.login, error.message)
        raise UnusableError from error
    token = sessions.new_token()
    session = sessions.arguments(
        token,
        account.login,
        granted.permissions,
        SESSION_SECONDS,
        divisions=await reach.reached(cx, granted.divisions),
        agencies=granted.agencies,
        account_id=account.id,
    )
    await cx.execute(_TIDY)
    await sessions.open_session(cx, session)
    return token
