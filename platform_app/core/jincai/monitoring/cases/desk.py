"""What API and pages of cases share: running a piece of work, and answering a refusal."""

import uuid
from typing import TypeVar

import psycopg
from fastapi import HTTPException, Request
from psycopg import AsyncConnection

from jincai.auth.principal import Principal
from jincai.auth.roles import ROLES
from jincai.database import Work
from jincai.monitoring.cases import asked as ask
from jincai.monitoring.cases import case, worklist
from jincai.monitoring.cases.states import CaseError
from jincai.paging import this_year
from jincai.platform import Platform

T = TypeVar("T")

# Several files of 5 MiB on their way to two databases.
WITHIN_SECONDS = 20.0
# Whose grants reach the case: in its division or one above, for every unit or for its own.
_MAY = """
WITH RECURSIVE line (code) AS (
    SELECT %(division)s::text
    UNION
    SELECT d.parent FROM line JOIN standards.division AS d ON d.code = line.code
     WHERE %(year)s BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
)
SELECT EXISTS (SELECT FROM auth.account AS a JOIN auth.role_grant AS g ON g.account_id = a.id
                WHERE a.login = %(to)s AND a.active AND g.role = ANY (%(roles)s)
                  AND (g.division IS NULL OR g.division IN (SELECT code FROM line))
                  AND (g.agency_code IS NULL OR g.agency_code = %(agency)s))
"""
_ROLES = [code for code, role in ROLES.items() if "monitor.handle" in role.permissions]


async def write(platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Run ``work``, which settles by keys and revisions whether it was done already, as ``principal``.

    Raises:
        CaseError: refused, by the work or by the database: nothing happened.
    """
    try:
        return await platform.database.write(
            work, token=principal.token, repeatable=True, within=WITHIN_SECONDS
        )
    except psycopg.Error as error:
        if error.sqlstate == "JC008":
            said = error.diag.message_primary or ""
            raise CaseError(409, f"案件不能这样办理({said})。", f"Not possible: {said}.") from error
        raise


async def answer(request: Request, platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Like `write`; a refusal becomes its status and text."""
    try:
        return await write(platform, principal, work)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error


async def look(request: Request, platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Like `answer`, for what only reads."""
    try:
        return await platform.database.read(work, token=principal.token)
    except CaseError as error:
        raise HTTPException(error.status, error.text(request)) from error


async def take_next(
    platform: Platform, principal: Principal, asked_key: uuid.UUID | None = None
) -> int | None:
    """The next case for ``principal``; None if nothing waits. Under the same key it is the same case."""
    # Of this person: nobody meets another's key, or learns what it opened.
    key = uuid.uuid5(asked_key, principal.actor) if asked_key else uuid.uuid4()
    return await write(platform, principal, lambda cx: worklist.take_next(cx, principal, key))


async def take(platform: Platform, principal: Principal, alert_id: int) -> int:
    """The case of one alert.

    Raises:
        CaseError: as `worklist.take`.
    """
    key = uuid.uuid4()
    return await write(platform, principal, lambda cx: worklist.take(cx, principal, alert_id, key))


async def require_person(platform: Platform, principal: Principal, case_id: int, asked: ask.Move) -> None:
    """Refuse to hand a case over to nobody, or to somebody who would not see it.

    Raises:
        CaseError: 404, there is no such case; 422, no such person works on cases of its division and unit.
    """
    if not isinstance(asked, ask.HandOver):
        return
    one = await platform.database.read(lambda cx: case.find(cx, case_id), token=principal.token)
    given = {"to": asked.to, "division": one.division, "agency": one.agency_code, "year": this_year()}

    async def known(cx: AsyncConnection) -> bool:
        row = await (await cx.execute(_MAY, given | {"roles": _ROLES})).fetchone()
        return bool(row and row[0])

    if not await platform.door.read(known):
        raise CaseError(
            422,
            f"没有能办理区划 {one.division} 案件的监控人员 {asked.to}。",
            f"Nobody called {asked.to} works on cases of division {one.division}.",
            "to",
        )
