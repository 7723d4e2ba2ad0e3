"""Logging in with a password: tries are counted before they are made, failures all take the same time."""

import asyncio
import logging
import re
import time
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai.auth import reach, roles, sessions
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
           AND (locked_until IS NULL OR locked_until <= clock_timestamp())
           FOR UPDATE) AS tried
 WHERE a.id = tried.id
RETURNING a.id, a.login, a.password_hash
"""
_SUCCEEDED = "UPDATE auth.account SET failed_attempts = 0, locked_until = NULL WHERE id = %s AND active"
_GRANTS = "SELECT role, division, agency_code AS agency FROM auth.role_grant WHERE account_id = %s"
_TIDY = "DELETE FROM auth.session WHERE expires_at < clock_timestamp() - interval '1 day'"


class RefusedError(Exception):
    """Nobody was logged in: unknown, wrong, locked or switched off. Which, is not for the asker to know."""


class UnusableError(Exception):
    """The right password, but roles that one person may not hold together, or that nobody knows any more."""


@dataclass(frozen=True)
class _Account:
    id: int
    login: str
    password_hash: str


async def log_in(door: Database, passwords: Passwords, login: str, password: str) -> str:
    """The token of a new session for who gives the right password.

    Raises:
        RefusedError: log-in and password do not open an account, or not now.
        UnusableError: the account's roles do not go together.
        TooManyTriesError: too many people try at once.
        DatabaseUnavailableError: no primary answers.
    """
    began = time.monotonic()
    account = await _tried(door, login)
    kept = account.password_hash if account else None
    fits = await passwords.fits(password[: MOST_CHARACTERS + 1], kept)
    if account is None or not fits:
        if account:
            log.warning("log-in of %s refused: wrong password", account.login)
        await asyncio.sleep(max(0.0, FAILURE_SECONDS - (time.monotonic() - began)))
        raise RefusedError
    token = await door.write(lambda cx: _open(cx, account), token=None)
    log.info("%s logged in", account.login)
    return token


async def log_out(door: Database, token: str) -> None:
    """End the session of ``token``, if there is one."""

    async def close(cx: AsyncConnection) -> None:
        await cx.execute("DELETE FROM auth.session WHERE token_sha256 = %s", (sessions.hashed(token),))

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


async def _open(cx: AsyncConnection, account: _Account) -> str:
    if (await cx.execute(_SUCCEEDED, (account.id,))).rowcount == 0:
        raise RefusedError
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
