"""Taking payments into the search: none lost, none twice, whoever commits late, whoever is killed."""

import asyncio
import random

import psycopg
import pytest
from jincai_payment.fund_query import index
from jincai_payment.fund_query.search import behind
from jincai_payment.post import post
from psycopg import AsyncConnection

from tests.platform.posting import make_quota, order, posted, shown, token_for_all

_INDEX = "SELECT indexed, more FROM payment.index_search(%s)"
_MISSING = """
SELECT count(*) FILTER (WHERE s.payment_id IS NULL), count(*) FILTER (WHERE p.id IS NULL)
  FROM payment.payment AS p
  FULL JOIN payment.search AS s ON s.payment_id = p.id
"""
_GAPS = "SELECT isempty(young) AND isempty(old) FROM payment.search_cursor"


@pytest.fixture
def token(database) -> str:
    return token_for_all(database.owner)


def missing(owner: str, token: str) -> tuple[int, int]:
    """Payments that are not in the search, and rows of the search that are no payment."""
    with shown(owner, token) as cx:
        row = cx.execute(_MISSING).fetchone()
    assert row
    return row[0], row[1]


async def connected(url: str, token: str) -> AsyncConnection:
    cx = await AsyncConnection.connect(url, autocommit=True)
    await cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
    return cx


async def indexed(cx: AsyncConnection, most: int = 1000) -> int:
    row = await (await cx.execute(_INDEX, (most,))).fetchone()
    assert row
    return int(row[0])


def test_who_commits_late_is_found(database, token) -> None:
    # Of three divisions, since transactions of one wait for each other's balances.
    places = ["450100", "450200", "450300"]
    with shown(database.app, token) as cx:
        quotas = [make_quota(cx, 10_000, division=one) for one in places]

    async def run() -> None:
        early, late, lost, other = [await connected(database.app, token) for _ in range(4)]
        await indexed(early)
        orders = [order(one, 100, division=place) for one, place in zip(quotas, places, strict=True)]
        async with late.transaction():
            await post(late, orders[:1])
            async with lost.transaction():
                await post(lost, orders[1:2])
                async with other.transaction():
                    await post(other, orders[2:])
                # Only the last number of the three is there.
                assert await indexed(early) == 1
                assert (await behind(early)).payments == 0
                for _ in range(3):
                    assert await indexed(early) == 0
                raise psycopg.Rollback
            assert await indexed(early) == 0
        assert (await behind(early)).payments == 1
        assert await indexed(early) == 1
        assert (await behind(early)).payments == 0
        # What was rolled back leaves a gap only until nobody can fill it.
        for _ in range(3):
            await indexed(early)
        row = await (await early.execute(_GAPS)).fetchone()
        assert row
        assert row[0]
        for cx in (early, late, lost, other):
            await cx.close()

    asyncio.run(run())
    assert missing(database.owner, token) == (0, 0)


def test_many_writers_and_killed_indexers(database, token) -> None:  # noqa: PLR0915 - three parts at once
    draw = random.Random("index")  # noqa: S311 - a test's choices
    places = [f"450{n}00" for n in range(1, 9)]
    with shown(database.app, token) as cx:
        quotas = {place: make_quota(cx, 10**9, division=place) for place in places}
        before = cx.execute("SELECT count(*) FROM payment.payment").fetchone()
    counts = {"indexed": 0, "posted": 0, "killed": 0}
    writing = asyncio.Event()
    writing.set()

    async def write(place: str) -> None:
        cx = await connected(database.app, token)
        for _ in range(15):
            orders = [
                order(quotas[place], 10, division=place, purpose=f"支付{draw.randrange(99)}")
                for _ in range(draw.randint(1, 20))
            ]
            async with cx.transaction():
                await post(cx, orders)
                await asyncio.sleep(draw.random() * 0.03)
                if draw.random() < 0.2:
                    raise psycopg.Rollback
                counts["posted"] += len(orders)
        await cx.close()

    async def take() -> None:
        """Indexes until all is written, killed by chance before its commit."""
        killer = await connected(database.app, token)
        cx = await connected(database.app, token)
        while writing.is_set():
            try:
                async with cx.transaction():
                    count = await indexed(cx, 40)
                    if draw.random() < 0.2:
                        await killer.execute("SELECT pg_terminate_backend(%s)", (cx.info.backend_pid,))
                        counts["killed"] += 1
                        await cx.execute("SELECT 1")
                counts["indexed"] += count
            except psycopg.OperationalError:
                await cx.close()
                cx = await connected(database.app, token)
            await asyncio.sleep(draw.random() * 0.01)
        await cx.close()
        await killer.close()

    async def run() -> None:
        with_them = [asyncio.create_task(take()) for _ in range(3)]
        await asyncio.gather(*(write(place) for place in places))
        writing.clear()
        await asyncio.gather(*with_them)
        cx = await connected(database.app, token)
        while count := await indexed(cx, 40):
            counts["indexed"] += count
        await cx.close()

    asyncio.run(run())
    assert counts["killed"] > 3
    # Each was taken in once, and by somebody whose work stood.
    with shown(database.app, token) as cx:
        after = cx.execute("SELECT count(*) FROM payment.payment").fetchone()
    assert before
    assert after
    assert after[0] - before[0] == counts["posted"]
    assert missing(database.owner, token) == (0, 0)
    assert counts["indexed"] == counts["posted"]


def test_only_who_sees_all_takes_in(database, session) -> None:
    with (
        shown(database.app, session(divisions=["450100"])) as cx,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        cx.execute(_INDEX, (10,))


def test_one_at_a_time(database, token) -> None:
    with shown(database.app, token) as cx:
        quota = make_quota(cx, 1_000, agency="220001")
    asyncio.run(posted(database.app, token, [order(quota, 10, agency_code="220001")]))
    with shown(database.app, token) as one, shown(database.app, token) as other:
        with one.transaction():
            assert one.execute(_INDEX, (1000,)).fetchone() == (1, False)
            # While another does it: nothing, at once.
            assert other.execute(_INDEX, (1000,)).fetchone() == (0, False)
        assert other.execute(_INDEX, (1000,)).fetchone() == (0, False)


def test_what_is_sent_is_swept_out(database, token) -> None:
    with shown(database.app, token) as cx:
        quota = make_quota(cx, 1_000, agency="230001")
    decisions = asyncio.run(
        posted(database.app, token, [order(quota, 10, agency_code="230001") for _ in range(3)])
    )
    index.everything(database.owner)
    ids = [one.payment_id for one in decisions]
    with shown(database.owner, token) as cx:
        cx.execute(
            """
            INSERT INTO payment.bank_order (payment_id, fiscal_year, division, agency_code, pay_type, amount,
                                            pay_date, state, attempts, sent_to, sent_at, answer_by)
            SELECT id, fiscal_year, division, agency_code, pay_type, amount, pay_date, 'sent', 1, 'bank',
                   now(), now()
              FROM payment.payment WHERE id = %s
            """,
            ids[:1],
        )

        def waiting() -> list[int]:
            asked = '{"agency_code": "230001", "bank_state": "waiting"}'
            row = cx.execute("SELECT ids FROM payment.find(%s, %s, 9, 0, 9)", (asked, "pay_date")).fetchone()
            assert row
            return list(row[0])

        assert waiting() == ids[1:]
        after = 0
        while True:
            row = cx.execute("SELECT payment.sweep_unsent(%s, 2)", (after,)).fetchone()
            assert row
            if not (after := row[0]):
                break
        assert waiting() == ids[1:]
        left = cx.execute("SELECT payment_id FROM payment.search_unsent WHERE payment_id = ANY (%s)", (ids,))
        assert sorted(row[0] for row in left) == ids[1:]
