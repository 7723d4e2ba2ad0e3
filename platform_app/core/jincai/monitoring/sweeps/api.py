"""Sweeps, back-tests and versions on trial over HTTP, under `/api/v1/monitor`."""

from typing import Annotated, NoReturn

from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection

from jincai import problems
from jincai.auth.principal import Principal
from jincai.monitoring.sweeps import backtest, result, runs, shadow, sweep
from jincai.monitoring.sweeps.asked import Handler, NumberPath, Reader, RulePath, Tester
from jincai.monitoring.sweeps.backtest import BackTestAsked
from jincai.monitoring.sweeps.result import BackTest, Hit, HitQuery, Result
from jincai.monitoring.sweeps.runs import Sweep, SweepWithParts
from jincai.monitoring.sweeps.shadow import Shadow, ShadowQuery
from jincai.monitoring.sweeps.sweep import SweepAsked, vocabularies
from jincai.paging import Page, PageQuery
from jincai.platform import DatabaseOf, Platform, PlatformOf
from jincai.standards.answers import refusals
from jincai.standards.editions import RefusedError

router = APIRouter(
    prefix="/api/v1/monitor",
    tags=["monitor"],
    responses={status: {"model": problems.Problem} for status in (404, 409)},
)


@router.get("/sweeps")
async def list_sweeps(
    asked: Annotated[PageQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Sweep]:
    """Sweeps, newest first; numbers are of the divisions that the asker sees."""
    return await database.read(lambda cx: runs.find(cx, asked), token=principal.token)


@router.post("/sweeps", status_code=202)
async def start_sweep(
    asked: SweepAsked, request: Request, platform: PlatformOf, principal: Handler
) -> SweepWithParts:
    """Sweep a period by the rules in force, beside the requests: ask again how far it is."""
    with refusals(request):
        return await begin_sweep(platform, principal, asked)


@router.get("/sweeps/{number}")
async def read_sweep(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Reader
) -> SweepWithParts:
    """One sweep, by division."""
    with refusals(request):
        return await database.read(lambda cx: runs.get(cx, number), token=principal.token)


@router.post("/sweeps/{number}/cancel")
async def cancel_sweep(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Handler
) -> SweepWithParts:
    """Stop a sweep; the alerts that it found stay."""
    with refusals(request):
        return await database.write(
            lambda cx: runs.cancel(cx, number), token=principal.token, repeatable=True
        )


@router.get("/rules/{rule}/back-tests")
async def list_back_tests(rule: RulePath, database: DatabaseOf, principal: Reader) -> list[BackTest]:
    """The rule's back-tests, newest first; 20 at most are kept."""
    return await database.read(lambda cx: result.find(cx, rule), token=principal.token)


@router.post("/rules/{rule}/back-tests", status_code=202)
async def start_back_test(
    asked: BackTestAsked, request: Request, *, rule: RulePath, platform: PlatformOf, principal: Tester
) -> BackTest:
    """Try a version of the rule on a period, beside the requests: ask again how far it is."""
    with refusals(request):
        return await begin_back_test(platform, principal, rule, asked)


@router.get("/back-tests/{number}")
async def read_back_test(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Reader
) -> Result:
    """How often it would have fired, where and when, beside the version in force and what cases decided."""
    with refusals(request):
        return await database.read(lambda cx: result.of(cx, number), token=principal.token)


@router.get("/back-tests/{number}/hits")
async def list_hits(
    asked: Annotated[HitQuery, Query()],
    request: Request,
    *,
    number: NumberPath,
    database: DatabaseOf,
    principal: Reader,
) -> Page[Hit]:
    """The first 1,000 records that it fires on, or that only the version in force does."""

    async def ask(cx: AsyncConnection) -> Page[Hit]:
        await result.get(cx, number)
        return await result.hits(cx, number, asked)

    with refusals(request):
        return await database.read(ask, token=principal.token)


@router.post("/back-tests/{number}/cancel")
async def cancel_back_test(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Tester
) -> BackTest:
    """Stop a back-test; what it found stays."""

    async def work(cx: AsyncConnection) -> BackTest:
        await result.get(cx, number)
        await backtest.cancel(cx, number)
        return await result.get(cx, number)

    with refusals(request):
        return await database.write(work, token=principal.token, repeatable=True)


@router.delete("/back-tests/{number}", status_code=204)
async def delete_back_test(
    request: Request, number: NumberPath, database: DatabaseOf, principal: Tester
) -> None:
    """Take a back-test away with what it found."""
    with refusals(request):
        await database.write(lambda cx: delete(cx, number), token=principal.token)


@router.get("/rules/{rule}/shadow")
async def compare_shadow(request: Request, rule: RulePath, platform: PlatformOf, principal: Reader) -> Shadow:
    """The version on trial beside the version in force."""
    known = vocabularies(platform.systems)
    with refusals(request):
        found = await platform.database.read(
            lambda cx: shadow.compare(cx, known, rule), token=principal.token
        )
        return found or _refuse_none(rule)


@router.get("/rules/{rule}/shadow/alerts")
async def list_shadow_alerts(
    asked: Annotated[ShadowQuery, Query()],
    request: Request,
    *,
    rule: RulePath,
    platform: PlatformOf,
    principal: Reader,
) -> Page[Hit]:
    """The newest 1,000 alerts of both, of the version in force only, or of the version on trial only."""
    known = vocabularies(platform.systems)
    with refusals(request):
        found = await platform.database.read(
            lambda cx: shadow.alerts(cx, known, rule, asked), token=principal.token
        )
        return found or _refuse_none(rule)


async def begin_sweep(platform: Platform, principal: Principal, asked: SweepAsked) -> SweepWithParts:
    """Begin it as ``principal``, in the divisions that they see.

    Raises:
        RefusedError: see `sweep.begin`.
    """
    known = vocabularies(platform.systems)

    async def work(cx: AsyncConnection) -> SweepWithParts:
        number = await sweep.begin(cx, known, asked, principal.actor)
        return await runs.get(cx, number or 0)

    return await platform.database.write(work, token=principal.token)


async def begin_back_test(
    platform: Platform, principal: Principal, rule: str, asked: BackTestAsked
) -> BackTest:
    """Begin it as ``principal``, in the divisions that they see.

    Raises:
        RefusedError: see `backtest.begin`.
    """
    known = vocabularies(platform.systems)

    async def work(cx: AsyncConnection) -> BackTest:
        return await result.get(cx, await backtest.begin(cx, known, rule, asked, principal.actor))

    return await platform.database.write(work, token=principal.token)


async def delete(cx: AsyncConnection, number: int, rule: str | None = None) -> None:
    """Take it away.

    Raises:
        RefusedError: 404, there is none that the session sees.
    """
    await result.get(cx, number, rule)
    await backtest.delete(cx, number)


def _refuse_none(rule: str) -> NoReturn:
    raise RefusedError(404, f"规则 {rule} 没有试运行的版本。", f"No version of rule {rule} is on trial.")
