"""The account desk (账户管理): what the security administrator changes about accounts."""

from typing import Annotated, LiteralString

import psycopg
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai.auth import accounts, changes, roles
from jincai.auth.changes import SUBJECT
from jincai.auth.login import LOGIN, RESERVED
from jincai.auth.passwords import Passwords, for_one_login
from jincai.auth.roles import ROLES, SeparationError
from jincai.database import Database
from jincai.errors import ConfigurationError
from jincai.paging import DivisionCode, this_year

# Roles × divisions × units of one account: each combination is a row.
GRANTS_MOST = 2_000

_UNKNOWN_DIVISIONS = """
SELECT asked.code
  FROM unnest(%(codes)s::text[]) AS asked (code)
 WHERE NOT EXISTS (SELECT FROM standards.division AS d
                    WHERE d.code = asked.code
                      AND %(year)s BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999))
 ORDER BY 1 LIMIT 1
"""

# No control character, and not blank.
_TEXT = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"

Login = Annotated[str, Field(pattern=rf"^{LOGIN.pattern}$")]
Why = Annotated[str, Field(min_length=2, max_length=200, pattern=_TEXT)]
_Name = Annotated[str, Field(min_length=1, max_length=60, pattern=_TEXT)]
_Role = Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]
_Agency = Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[0-9A-Za-z.-]+$")]


class DeskError(Exception):
    """A change that is refused: ``field`` it concerns ("" for none), why in both languages, HTTP status."""

    def __init__(self, status: int, field: str, chinese: str, english: str) -> None:
        super().__init__(english)
        self.status = status
        self.field = field
        self.chinese = chinese
        self.english = english


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewAccount(_Asked):
    """An account to be made; ``divisions`` null: all of them. ``agencies`` empty: every unit of those."""

    login: Login
    name: _Name
    roles: Annotated[list[_Role], Field(min_length=1, max_length=20)]
    divisions: Annotated[list[DivisionCode], Field(min_length=1, max_length=200)] | None
    agencies: Annotated[list[_Agency], Field(max_length=200)] = []
    why: Why


class Reason(_Asked):
    """Why something is changed."""

    why: Why


class NewSubject(_Asked):
    """What the identity provider calls the person; null: nothing, no single sign-on."""

    subject: Annotated[str, Field(pattern=rf"^{SUBJECT.pattern}$")] | None
    why: Why


class OneTime(BaseModel):
    """A password that is told this once: it opens the account once, to choose another, within some days."""

    model_config = ConfigDict(frozen=True)

    login: str
    one_time_password: str
    days: int = changes.ONCE_DAYS


async def add(door: Database, passwords: Passwords, asked: NewAccount, by: str) -> OneTime:
    """Make the account, with a password for its first log-in.

    Raises:
        DeskError: roles that exclude each other, an unknown role or division, a name that is taken or
            reserved.
    """
    if asked.login in RESERVED:
        raise DeskError(
            422,
            "login",
            f"{asked.login} 由平台自身使用，请另选账户名。",
            f"{asked.login}: under this name the platform itself acts. Choose another.",
        )
    granted = _granted(asked)
    once = OneTime(login=asked.login, one_time_password=for_one_login())
    kept = await passwords.hashed(once.one_time_password)
    made = changes.adding(asked.login, asked.name.strip(), kept, granted, by=by, why=asked.why, once=True)

    async def work(cx: AsyncConnection) -> None:
        unknown = {"codes": asked.divisions or [], "year": this_year()}
        if row := await (await cx.execute(_UNKNOWN_DIVISIONS, unknown)).fetchone():
            raise DeskError(
                422, "divisions", f"今年没有区划 {row[0]}。", f"There is no division {row[0]} this year."
            )
        await cx.execute(changes.ADD, made)

    try:
        await door.write(work, token=None)
    except psycopg.errors.UniqueViolation:
        raise DeskError(
            409, "login", f"已有账户 {asked.login}。", f"There is an account {asked.login} already."
        ) from None
    return once


async def switch(door: Database, login: str, *, active: bool, by: str, why: str) -> None:
    """Lock the account and end its sessions, or unlock it.

    Raises:
        DeskError: there is none, or it is one's own.
    """
    _refuse_own(login, by)
    arguments = changes.switching(login, active=active, by=by, why=why)
    await door.write(lambda cx: _change(cx, changes.SWITCH, arguments), token=None, repeatable=True)


async def renew(door: Database, passwords: Passwords, login: str, *, by: str, why: str) -> OneTime:
    """Give the account a password for one log-in and end its sessions.

    Raises:
        DeskError: there is none, or it is one's own.
    """
    _refuse_own(login, by)
    once = OneTime(login=login, one_time_password=for_one_login())
    kept = await passwords.hashed(once.one_time_password)
    arguments = changes.renewing(login, kept, by=by, why=why, once=True)
    await door.write(lambda cx: _change(cx, changes.RENEW, arguments), token=None, repeatable=True)
    return once


async def link(door: Database, login: str, subject: str | None, *, by: str, why: str) -> None:
    """Say what the identity provider calls the person, and end the account's sessions.

    Raises:
        DeskError: there is no such account, it is one's own, or another one has this subject.
    """
    _refuse_own(login, by)
    arguments = changes.linking(login, subject, by=by, why=why)
    try:
        await door.write(lambda cx: _change(cx, changes.LINK, arguments), token=None, repeatable=True)
    except psycopg.errors.UniqueViolation:
        raise DeskError(
            409, "subject", "另一账户已使用此标识。", "Another account has this subject."
        ) from None


def _granted(asked: NewAccount) -> tuple[roles.Granted, ...]:
    codes = tuple(dict.fromkeys(asked.roles))
    divisions, agencies = tuple(dict.fromkeys(asked.divisions or ())), tuple(dict.fromkeys(asked.agencies))
    if len(codes) * max(1, len(divisions)) * max(1, len(agencies)) > GRANTS_MOST:
        raise DeskError(
            422,
            "divisions",
            f"角色、区划与单位的组合超过 {GRANTS_MOST} 个。",
            f"More than {GRANTS_MOST} combinations of roles, divisions and units.",
        )
    if not agencies and any(ROLES[code].duty == "unit" for code in codes if code in ROLES):
        raise DeskError(422, "agencies", "单位角色必须指定单位。", "A unit's role needs its unit.")
    try:
        return accounts.grants(codes, divisions, agencies)
    except SeparationError as error:
        raise DeskError(422, "roles", error.chinese, str(error)) from None
    except ConfigurationError as error:
        raise DeskError(422, "roles", f"没有这样的角色:{error.message}", error.message) from None


async def _change(cx: AsyncConnection, statement: LiteralString, arguments: dict[str, object]) -> None:
    row = await (await cx.execute(statement, arguments)).fetchone()
    if not row or not row[0]:
        raise nobody(str(arguments["login"]))


def _refuse_own(login: str, by: str) -> None:
    """Whoever manages accounts leaves their own to another security administrator."""
    if login == by:
        raise DeskError(
            409,
            "",
            "不能变更自己的账户,请由另一名安全管理员办理。",
            "Not your own account: another security administrator does that.",
        )


def nobody(login: str) -> DeskError:
    """The refusal for a log-in name that nobody has."""
    return DeskError(404, "", f"没有账户 {login}。", f"There is no account {login}.")
