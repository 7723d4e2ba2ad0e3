"""Sweeps and back-tests seen through by a command: as many hands as there are places; servers may help."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import typer
from psycopg import AsyncConnection

from jincai import plugins, serve, settings
from jincai.auth import sessions
from jincai.database import Database
from jincai.errors import ConfigurationError
from jincai.monitoring.sweeps import backtest, result, runs, sweep
from jincai.monitoring.sweeps.backtest import BackTestAsked
from jincai.monitoring.sweeps.result import Result
from jincai.monitoring.sweeps.runs import Sweep
from jincai.monitoring.sweeps.sweep import SweepAsked, Vocabularies, vocabularies
from jincai.monitoring.sweeps.worker import PLACES, Worker
from jincai.standards.editions import RefusedError

T = TypeVar("T")
SESSION_SECONDS = 6 * 3600.0
WAIT_SECONDS = 0.5
ACTOR = "jincai command"


def swept(asked: SweepAsked) -> Sweep:
    """Begins the sweep and sees it through."""
    return _run(lambda pool, token, known: _sweep(pool, token, known, asked))


def tried(rule: str, asked: BackTestAsked) -> Result:
    """Begins the back-test and sees it through."""
    return _run(lambda pool, token, known: _back_test(pool, token, known, rule, asked))


_Work = Callable[[Database, str, Vocabularies], Awaitable[T]]


def _run(work: "_Work[T]") -> T:
    """``work`` on the database of the environment (or our own), with a session for every division."""
    systems = plugins.load()
    with serve.database(settings.from_environment(), systems) as (url, owner_url):
        with psycopg.connect(owner_url) as cx:
            token = sessions.open_for_process(cx, ACTOR, (), SESSION_SECONDS)

        async def with_pool() -> T:
            pool = Database(url, size=PLACES + 1, name="sweep")
            await pool.open()
            try:
                return await work(pool, token, vocabularies(systems))
            finally:
                await pool.close()

        try:
            return asyncio.run(with_pool())
        except RefusedError as error:
            raise _RefusedError(str(error)) from error


class _RefusedError(ConfigurationError):
    """What was asked cannot be done; nothing was begun."""


async def _sweep(pool: Database, token: str, known: Vocabularies, asked: SweepAsked) -> Sweep:
    number = await pool.write(lambda cx: sweep.begin(cx, known, asked, ACTOR), token=token) or 0

    async def look(cx: AsyncConnection) -> Sweep:
        return await runs.get(cx, number)

    worker = Worker(pool, known, sweep=number)
    return await _follow(pool, token, worker, look, lambda one: f"{one.percent}% {one.judged:,} judged")


async def _back_test(
    pool: Database, token: str, known: Vocabularies, rule: str, asked: BackTestAsked
) -> Result:
    number = await pool.write(lambda cx: backtest.begin(cx, known, rule, asked, ACTOR), token=token)

    async def look(cx: AsyncConnection) -> Result:
        return await result.of(cx, number)

    worker = Worker(pool, known, back_test=number)
    return await _follow(pool, token, worker, look, lambda one: f"{one.percent}% fired {one.fired:,}")


R = TypeVar("R", Sweep, Result)


async def _follow(
    pool: Database,
    token: str,
    worker: Worker,
    look: Callable[[AsyncConnection], Awaitable[R]],
    said: Callable[[R], str],
) -> R:
    """Work until it is done, as many hands as there are places; servers may help."""
    over = asyncio.Event()
    hands = [asyncio.create_task(_work(worker, token, over)) for _ in range(PLACES)]
    try:
        while True:
            done, _ = await asyncio.wait(hands, timeout=WAIT_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            for one in done:
                one.result()
            found = await pool.read(look, token=token)
            if not found.unfinished:
                over.set()
                await asyncio.gather(*hands)
                return found
            typer.echo(said(found), err=True)
    finally:
        for one in hands:
            one.cancel()


async def _work(worker: Worker, token: str, over: asyncio.Event) -> None:
    while not over.is_set():
        if not await worker.step(token):
            await asyncio.sleep(WAIT_SECONDS)
