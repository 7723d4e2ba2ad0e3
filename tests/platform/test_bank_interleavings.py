"""Whatever the order, repetition and concurrency of receipts, the end is the same and the books agree."""

import asyncio
import datetime as dt
import random
import threading
from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jincai_payment.bank import instructions, receipts
from jincai_payment.bank.decide import Held, decide
from jincai_payment.bank.instructions import Wanted
from jincai_payment.bank.receipt import Receipt, Reply
from psycopg import AsyncConnection

from tests.platform.banking import Desk, assert_bank_agrees, desk_of

PAY_DAY, DAY = dt.date(2010, 3, 5), dt.date(2010, 3, 6)
TODAY = dt.date(2010, 4, 1)


@pytest.fixture
def desk(database, client: TestClient, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


# One story of a payment of 100: paid, perhaps with refunds that come to no more; or failed.
_REFUNDS = st.lists(st.integers(1, 50), max_size=3).filter(lambda parts: sum(parts) <= 100)
_STORY = st.one_of(st.just(None), _REFUNDS)


def told(payment: int, story: list[int] | None) -> list[Receipt]:
    """Every receipt of the story, once."""
    if story is None:
        return [Receipt(payment, "failed", "", DAY, 0, "账号户名不符")]
    refunds = [Receipt(payment, "refunded", f"R{n}", DAY, part) for n, part in enumerate(story)]
    return [Receipt(payment, "paid", f"B{payment}", DAY, 100), *refunds]


def shuffled(given_receipts: list[Receipt], seed: int) -> list[Receipt]:
    """Each at least once, some again, in any order."""
    draw = random.Random(seed)  # noqa: S311
    repeated = [*given_receipts, *draw.choices(given_receipts, k=draw.randrange(2 * len(given_receipts)))]
    draw.shuffle(repeated)
    return repeated


def held(amount: int = 100) -> Held:
    return Held(1, 2010, "sent", amount, amount, PAY_DAY, "icbc")


@settings(max_examples=400, deadline=None)
@given(story=_STORY, seed=st.integers(0, 2**32))
def test_any_order_of_one_story_decides_the_same(story, seed) -> None:
    one = held()
    replies = [decide(one, receipt, "icbc", TODAY) for receipt in shuffled(told(1, story), seed)]
    assert all(reply.problem == "" for reply in replies)
    assert one.differing == []
    assert one.state == ("failed" if story is None else "paid")
    assert one.left == (0 if story is None else 100 - sum(story))
    assert sorted(undo.amount for undo in one.undone) == sorted([100] if story is None else story)
    assert not any(refund.waits for refund in one.refunds.values())


_ANY = st.builds(
    Receipt,
    st.just(1),
    st.sampled_from(["paid", "failed", "refunded"]),
    st.sampled_from(["", "B1", "B2", "R1"]),
    st.sampled_from([DAY, dt.date(2010, 3, 1), dt.date(2010, 5, 1)]),
    st.sampled_from([0, 40, 70, 100, 200]),
)


@settings(max_examples=400, deadline=None)
@given(told_any=st.lists(_ANY, max_size=12), banks=st.lists(st.sampled_from(["icbc", "abc"]), min_size=12))
def test_no_receipts_at_all_undo_more_than_was_paid_or_settle_twice(told_any, banks) -> None:
    one = held()
    settled = []
    for receipt, bank in zip(told_any, banks, strict=False):
        before = one.answer
        reply = decide(one, receipt, bank, TODAY)
        if one.answer is not before:
            settled.append(reply)
        again = decide(one, receipt, bank, TODAY)
        assert (again.problem == "") == (reply.problem == "" or again.again)
    assert len(settled) <= 1
    assert 0 <= one.left == 100 - sum(undo.amount for undo in one.undone)
    assert len({undo.key for undo in one.undone}) == len(one.undone)
    if one.state == "failed":
        assert one.left == 0
        assert one.refunds == {}


async def take(desk: Desk, token: str, batch: list[Receipt]) -> list[Reply]:
    async with await AsyncConnection.connect(desk.url, autocommit=True) as cx:
        await cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        async with cx.transaction():
            return await receipts.take(cx, batch, "icbc")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(stories=st.lists(_STORY, min_size=1, max_size=6), seed=st.integers(0, 2**32))
def test_concurrent_batches_in_any_order_end_the_same(desk, stories, seed) -> None:
    made = desk.pay(*[100] * len(stories))
    bank = desk.bank()
    assert {one["payment_id"] for one in bank.pull()} == set(made)
    every = [r for payment, story in zip(made, stories, strict=True) for r in told(payment, story)]
    draw = random.Random(seed)  # noqa: S311
    batches = [shuffled(every, draw.randrange(2**32)) for _ in range(4)]
    # Each batch misses some; together they are whole.
    batches = [[r for r in batch if draw.random() < 0.7] for batch in batches] + [every]

    async def all_at_once() -> list[list[Reply]]:
        return await asyncio.gather(*(take(desk, bank.token, batch) for batch in batches if batch))

    for replies in asyncio.run(all_at_once()):
        assert [one.problem for one in replies if one.problem] == []
    for payment, story in zip(made, stories, strict=True):
        assert desk.state(payment)[0] == ("failed" if story is None else "paid")
        assert desk.left(payment) == (0 if story is None else 100 - sum(story))
        assert desk.problems(payment) == []
    assert_bank_agrees(desk.books)


def test_who_pulls_does_not_wait_for_who_is_pulling(desk) -> None:
    """An open transaction of one bank holds what it got; another gets something else, at once."""
    made = desk.pay(*[10] * 10)
    wanted = Wanted(divisions=("450100",), start=PAY_DAY, end=PAY_DAY, limit=6, lease=900)
    one, two = desk.bank("icbc"), desk.bank("abc")

    async def both() -> tuple[set[int], set[int]]:
        got = []
        async with (
            await AsyncConnection.connect(desk.url, autocommit=True) as first,
            await AsyncConnection.connect(desk.url, autocommit=True) as second,
        ):
            for cx, bank in ((first, one), (second, two)):
                await cx.execute("SELECT set_config('jincai.session', %s, false)", (bank.token,))
                await cx.execute("SET statement_timeout = '2s'")
            for _ in range(2):
                await instructions.queue(first, wanted, "icbc")
            async with first.transaction(), second.transaction():
                got.append(await instructions.claim(first, wanted, "icbc"))
                got.append(await instructions.claim(second, wanted, "abc"))
        return {i.payment_id for i in got[0]}, {i.payment_id for i in got[1]}

    first, second = asyncio.run(both())
    assert (len(first), len(second)) == (6, 4)
    assert first | second == set(made)


def test_a_correction_and_a_failure_at_once_undo_no_more_than_was_paid(desk) -> None:
    """The unit's lock is taken before what is left is read, so one of the two sees the other."""
    from tests.platform.posting import order

    bank = desk.bank()
    for _ in range(12):
        (payment,) = desk.pay(100)
        quota = desk.books.execute(
            "SELECT quota_id FROM payment.payment WHERE id = %s", (payment,)
        ).fetchone()
        assert quota
        bank.pull()
        correction = order(quota[0], -30, kind="correction", undoes=payment)
        others = threading.Thread(target=desk.post, args=(correction,))
        others.start()
        failed = Receipt(payment, "failed", "", DAY, 0, "账号户名不符")
        assert asyncio.run(take(desk, bank.token, [failed]))[0].problem == ""
        others.join()
        assert desk.left(payment) == 0


def test_a_return_that_posting_refuses_does_not_stop_the_others(desk) -> None:
    """Somebody used the key that its return goes under: that one waits for a person, the other is settled."""
    (odd, plain) = desk.pay(10, 20)
    desk.pay(30, idempotency_key=f"bank-return-{odd}")
    bank = desk.bank()
    bank.pull()
    batch = [Receipt(n, "failed", "", DAY, 0, "账号户名不符") for n in (odd, plain)]
    assert asyncio.run(take(desk, bank.token, batch)) == [Reply(odd, "not_postable"), Reply(plain)]
    assert (desk.state(odd)[0], desk.state(plain)[0]) == ("sent", "failed")
    assert desk.problems(odd) == []


def test_a_batch_that_cannot_be_written_leaves_nothing(desk) -> None:
    """A period closed between reading and booking stops the whole batch; told again it is taken."""
    (one, two) = desk.pay(10, 20)
    bank = desk.bank()
    bank.pull()
    batch = [Receipt(one, "paid", "B", DAY, 10), Receipt(two, "failed", "", DAY, 0, "x")]

    async def closed_meanwhile() -> None:
        async with await AsyncConnection.connect(desk.url, autocommit=True) as cx:
            await cx.execute("SELECT set_config('jincai.session', %s, false)", (bank.token,))
            async with cx.transaction():
                await receipts.take(cx, batch, "icbc")
                raise psycopg.errors.RaiseException("the period is closed")

    with pytest.raises(psycopg.errors.RaiseException):
        asyncio.run(closed_meanwhile())
    assert (desk.state(one)[0], desk.state(two)[0]) == ("sent", "sent")
    assert asyncio.run(take(desk, bank.token, batch)) == [Reply(one), Reply(two)]
