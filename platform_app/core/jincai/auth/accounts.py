"""Accounts of people, as `jincai account` makes and locks them; always as the log-in role or the owner.

Each change is one statement together with its entry in the audit trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import psycopg
from psycopg.rows import class_row

from jincai.auth import changes, passwords, roles
from jincai.auth.changes import SUBJECT
from jincai.auth.login import LOGIN, RESERVED
from jincai.auth.roles import Granted
from jincai.errors import ConfigurationError

_LIST = """
SELECT a.login, a.name, a.active, a.locked_until > clock_timestamp() IS TRUE AS shut_out,
       coalesce(string_agg(concat_ws(' ', g.role, coalesce(g.division, '*'), g.agency_code), ', '
                           ORDER BY g.role, g.division, g.agency_code), '') AS grants
  FROM auth.account AS a
  LEFT JOIN auth.role_grant AS g ON g.account_id = a.id
 GROUP BY a.id
 ORDER BY a.login
"""


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
    why: str = "",
) -> None:
    """Make an account; ``password_hash`` as from `passwords.hashed`.

    Raises:
        ConfigurationError: the log-in name is taken or is none.
    """
    if not LOGIN.fullmatch(login):
        raise ConfigurationError(
            f"{login!r} is no log-in name", "2 to 64 of a-z 0-9 . _ -, beginning with a letter or a digit."
        )
    if login in RESERVED:
        raise ConfigurationError(f"{login}: under this name the platform itself acts", "Choose another name.")
    try:
        cx.execute(changes.ADD, changes.adding(login, name, password_hash, granted, by=by, why=why))
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(f"there is an account {login} already", "Choose another name.") from None


def every(cx: psycopg.Connection) -> list[Account]:
    """The accounts, by log-in name."""
    with cx.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LIST).fetchall()


def switch(cx: psycopg.Connection, login: str, *, active: bool, by: str, why: str = "") -> None:
    """Lock an account and end its sessions, or unlock it.

    Raises:
        ConfigurationError: there is none.
    """
    row = cx.execute(changes.SWITCH, changes.switching(login, active=active, by=by, why=why)).fetchone()
    _refuse_nobody(login, row)


def set_password(cx: psycopg.Connection, login: str, password: str, *, by: str, why: str = "") -> None:
    """Give an account a new password and end its sessions.

    Raises:
        ConfigurationError: there is none, or the password is too short or too long.
    """
    row = cx.execute(
        changes.RENEW, changes.renewing(login, passwords.hashed(password), by=by, why=why)
    ).fetchone()
    _refuse_nobody(login, row)


def link(cx: psycopg.Connection, login: str, subject: str | None, *, by: str, why: str = "") -> None:
    """Say what the identity provider calls the person (None: nothing), and end the account's sessions.

    Raises:
        ConfigurationError: there is no such account, or another one has this subject.
    """
    if subject is not None and not SUBJECT.fullmatch(subject):
        raise ConfigurationError(
            f"{subject!r} is no subject", "1 to 255 printable ASCII characters, as in the token's `sub`."
        )
    try:
        row = cx.execute(changes.LINK, changes.linking(login, subject, by=by, why=why)).fetchone()
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(
            f"another account has the subject {subject}", "Remove it there first: --remove."
        ) from None
    _refuse_nobody(login, row)


def _refuse_nobody(login: str, row: tuple[int] | None) -> None:
    if not row or not row[0]:
        raise ConfigurationError(f"there is no account {login}", "jincai account list names them.")
