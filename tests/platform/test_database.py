import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import pytest
from jincai.database import WAITING_PER_CONNECTION, Database
from jincai.errors import DatabaseUnavailableError
from psycopg import AsyncConnection

T = TypeVar("T")


def run(url: str, use: Callable[[Database], Awaitable[T]]) -> T:
    async def body() -> T:
        database = Database(url, size=1, name="test")
        await database.open()
        try:
            return await use(database)
        finally:
            await database.close()

    return asyncio.run(body())


async def pid(cx: AsyncConnection) -> int:
    return cx.info.backend_pid


async def sleep(cx: AsyncConnection) -> None:
    await cx.execute("SELECT pg_sleep(0.5)")


def test_reading_cannot_write(database) -> None:
    async def write(cx: AsyncConnection) -> None:
        await cx.execute("DELETE FROM standards.division")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        run(database.owner, lambda one: one.read(write))


def test_more_than_may_wait_are_turned_away_at_once(database) -> None:
    async def crowd(one: Database) -> list[tuple[bool, float]]:
        await one.read(pid)
        began = time.monotonic()

        async def ask() -> tuple[bool, float]:
            try:
                await one.read(sleep, within=2)
            except DatabaseUnavailableError:
                return False, time.monotonic() - began
            return True, time.monotonic() - began

        return await asyncio.gather(*(ask() for _ in range(WAITING_PER_CONNECTION + 11)))

    answers = run(database.app, crowd)
    turned_away = [seconds for served, seconds in answers if not served and seconds < 0.4]
    assert len(turned_away) == 10
    assert sum(served for served, _ in answers) >= 2
    assert max(seconds for _, seconds in answers) < 2.5


def test_a_statement_that_takes_too_long_is_stopped(database) -> None:
    with pytest.raises(DatabaseUnavailableError, match="took too long"):
        run(f"{database.app}&options=-c%20statement_timeout%3D100", lambda one: one.read(sleep))


def test_a_connection_that_was_killed_is_replaced_under_a_request(server, database) -> None:
    async def killed_once(one: Database) -> tuple[int, int]:
        before = await one.read(pid)

        async def die_at_first(cx: AsyncConnection) -> int:
            if cx.info.backend_pid == before:
                with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s)", (before,))
            await cx.execute("SELECT 1")
            return cx.info.backend_pid

        return before, await one.read(die_at_first)

    before, after = run(database.app, killed_once)
    assert before != after


def test_a_wrong_statement_is_not_repeated(database) -> None:
    tries: list[int] = []

    async def wrong(cx: AsyncConnection) -> None:
        tries.append(1)
        await cx.execute("SELECT nonsense")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        run(database.app, lambda one: one.read(wrong))
    assert tries == [1]
