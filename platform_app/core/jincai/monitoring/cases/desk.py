"""What API and pages of cases share: running a piece of work, and answering a refusal."""

import uuid
from typing import TypeVar

import psycopg
from fastapi import HTTPException, Request
from psycopg import AsyncConnection

from jincai.auth.principal import Principal
from jincai.database import Work
from jincai.monitoring.cases import asked as ask
from jincai.monitoring.cases import worklist
from jincai.monitoring.cases.states import CaseError
from jincai.platform import Platform

T = TypeVar("T")

# Several files of 5 MiB on their way to two databases.
WITHIN_SECONDS = 20.0
_MAY = """
SELECT EXISTS (SELECT FROM auth.account AS a JOIN auth.role_grant AS g ON g.account_id = a.id
                WHERE a.login = %s AND a.active AND g.role IN ('monitor_maker', 'monitor_checker'))
"""


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


async def take_next(platform: Platform, principal: Principal) -> int | None:
    """The next case for ``principal``; None if nothing waits."""
    key = uuid.uuid4()
    return await write(platform, principal, lambda cx: worklist.take_next(cx, principal, key))


async def take(platform: Platform, principal: Principal, alert_id: int) -> int:
    """The case of one alert.

    Raises:
        CaseError: as `worklist.take`.
    """
    key = uuid.uuid4()
    return await write(platform, principal, lambda cx: worklist.take(cx, principal, alert_id, key))


async def require_person(platform: Platform, asked: ask.Move) -> None:
    """Refuse to hand a case over to nobody.

    Raises:
        CaseError: 422, no such person works on cases.
    """
    if not isinstance(asked, ask.HandOver):
        return
    to = asked.to

    async def known(cx: AsyncConnection) -> bool:
        row = await (await cx.execute(_MAY, (to,))).fetchone()
        return bool(row and row[0])

    if not await platform.door.read(known):
        raise CaseError(422, f"没有监控人员 {to}。", f"Nobody called {to} works on cases.", "to")
