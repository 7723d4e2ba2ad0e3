"""Accounts of people, as `jincai account` makes and locks them; always as the log-in role or the owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import psycopg
from psycopg.rows import class_row

from jincai.auth import passwords, roles
from jincai.auth.login import LOGIN
from jincai.auth.roles import Granted
from jincai.errors import ConfigurationError

_ADD = "INSERT INTO auth.account (login, name, password_hash) VALUES (%s, %s, %s) RETURNING id"
_GRANT = """
INSERT INTO auth.role_grant (account_id, role, division, agency_code, granted_by) VALUES (%s, %s, %s, %s, %s)
"""
_LIST = """
SELECT a.login, a.name, a.active, a.locked_until > clock_timestamp() IS TRUE AS shut_out,
       coalesce(string_agg(concat_ws(' ', g.role, coalesce(g.division, '*'), g.agency_code), ', '
                           ORDER BY g.role, g.division, g.agency_code), '') AS grants
  FROM auth.account AS a
  LEFT JOIN auth.role_grant AS g ON g.account_id = a.id
 GROUP BY a.id
 ORDER BY a.login
"""
_SWITCH = """
UPDATE auth.account SET active = %s, failed_attempts = 0, locked_until = NULL WHERE login = %s RETURNING id
"""
_RENEW = """
UPDATE auth.account SET password_hash = %s, failed_attempts = 0, locked_until = NULL WHERE login = %s
RETURNING id
"""
_CLOSE = "DELETE FROM auth.session WHERE account_id = %s"


@dataclass(frozen=True)
class Account:
    """One person; ``shut_out``: for some minutes, after failed tries. ``grants`` are for reading."""

    login: str
    name: str
    active: bool
    shut_out: bool
    grants: str


def grants(codes: Sequence[str], divisions: Sequence[str], agencies: Sequence[str]) -> tuple[Granted, ...]:
    """Every role in every division for every unit; none named: for all of them.

    Raises:
        SeparationError: the roles exclude each other.
        ConfigurationError: there is no such role, or a unit's role names no unit.
    """
    places = tuple(product(divisions or (None,), agencies or (None,)))
    made = tuple(Granted(role, *place) for role in codes for place in places)
    roles.extent(made)
    return made


def add(
    cx: psycopg.Connection,
    login: str,
    name: str,
    password_hash: str,
    granted: Sequence[Granted],
    *,
    by: str,
) -> None:
    """Make an account; ``password_hash`` as from `passwords.hashed`.

    Raises:
        ConfigurationError: the log-in name is taken or is none.
    """
    if not LOGIN.fullmatch(login):
        raise ConfigurationError(
            f"{login!r} is no log-in name", "2 to 64 of a-z 0-9 . _ -, beginning with a letter or a digit."
        )
    try:
        row = cx.execute(_ADD, (login, name, password_hash)).fetchone()
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(f"there is an account {login} already", "Choose another name.") from None
    for one in granted:
        cx.execute(_GRANT, (row and row[0], one.role, one.division, one.agency, by))


def every(cx: psycopg.Connection) -> list[Account]:
    """The accounts, by log-in name."""
    with cx.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LIST).fetchall()


def switch(cx: psycopg.Connection, login: str, *, active: bool) -> None:
    """Lock an account and end its sessions, or unlock it.

    Raises:
        ConfigurationError: there is none.
    """
    row = cx.execute(_SWITCH, (active, login)).fetchone()
    _end_sessions(cx, login, row)


def set_password(cx: psycopg.Connection, login: str, password: str) -> None:
    """Give an account a new password and end its sessions.

    Raises:
        ConfigurationError: there is none, or the password is too short or too long.
    """
    row = cx.execute(_RENEW, (passwords.hashed(password), login)).fetchone()
    _end_sessions(cx, login, row)


def _end_sessions(cx: psycopg.Connection, login: str, row: tuple[int] | None) -> None:
    if row is None:
        raise ConfigurationError(f"there is no account {login}", "jincai account list names them.")
    cx.execute(_CLOSE, row)
