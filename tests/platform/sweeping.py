"""What tests of sweeps stand on: payments that were posted, and the process that goes through them."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import psycopg
import pytest
from jincai import plugins
from jincai.database import Database
from jincai.monitoring.sweeps import schedule, sweep
from jincai.monitoring.sweeps.sweep import SweepAsked
from jincai.monitoring.sweeps.worker import Worker
from jincai_payment.order import Order

from tests.platform.posting import order, posted, token_for_all

T = TypeVar("T")
KNOWN = sweep.vocabularies(plugins.load())
FROM, TO = dt.date(2010, 1, 1), dt.date(2010, 12, 31)

Alert = tuple[int, str, int, str, bool, str]


@pytest.fixture(scope="module", autouse=True)
def asleep() -> Iterator[None]:
    """The application's own sweepers do nothing meanwhile: the test says when something is done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "POLL_SECONDS", 3600.0)
        yield


def orders(quota: int, *given: Mapping[str, object], **all_of_them: object) -> list[Order]:
    """Orders of one quota, each as given."""
    made = []
    for one in given:
        more = {**all_of_them, **one}
        made.append(order(quota, int(str(more.pop("amount", 100))), **more))
    return made


def post_all(database, asked: Iterable[Order]) -> list[int]:
    """Posts; the payments' ids."""
    decisions = asyncio.run(posted(database.app, token_for_all(database.owner), list(asked)))
    ids = [one.payment_id for one in decisions if one.payment_id]
    assert len(ids) == len(decisions)
    return ids


def with_pool(database, work: Callable[[Database, str], Awaitable[T]]) -> T:
    """Runs ``work`` with a pool and a session for every division."""

    async def run() -> T:
        pool = Database(database.app, size=4, name="test")
        await pool.open()
        try:
            return await work(pool, token_for_all(database.owner))
        finally:
            await pool.close()

    return asyncio.run(run())


def swept(database, **more: object) -> int:
    """Sweeps the year 2010 (unless ``more`` says otherwise) to its end; the sweep's number."""
    number = stepped(database, {"from_day": FROM, "to_day": TO, **more})
    worked(database)
    return number


def stepped(database, asked: Mapping[str, object], *, size: int = 20_000, steps: int = 0) -> int:
    """Begins a sweep in pieces of ``size`` and does ``steps`` of them; its number."""
    given = SweepAsked.model_validate(asked)

    async def work(pool: Database, token: str) -> int:
        number = await pool.write(lambda cx: sweep.begin(cx, KNOWN, given, "test"), token=token)
        assert number
        resize = "UPDATE monitor.sweep_part SET size = %s WHERE sweep = %s"
        await pool.write(lambda cx: cx.execute(resize, (size, number)), token=token)
        for _ in range(steps):
            assert await Worker(pool, KNOWN).step(token)
        return number

    return with_pool(database, work)


def worked(database, hands: int = 1) -> None:
    """Does whatever waits."""

    async def work(pool: Database, token: str) -> None:
        async def hand() -> None:
            while await Worker(pool, KNOWN).step(token):
                pass

        await asyncio.gather(*(hand() for _ in range(hands)))
        # A hand ends where others hold both places.
        await hand()

    with_pool(database, work)


def alerts(cx: psycopg.Connection, ids: Iterable[int]) -> list[Alert]:
    """What the alerts of these records say, however they were found."""
    return cx.execute(
        "SELECT subject_id, rule, amount, level, shadow, subject FROM monitor.alert"
        " WHERE subject_id = ANY (%s) ORDER BY 1, 2, 5",
        (list(ids),),
    ).fetchall()
