"""A frozen site pays nothing: through no door, in no version, from the moment the freeze has returned."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from jincai.freezing import FrozenError
from jincai_payment import freeze
from psycopg import AsyncConnection

from tests.platform.banking import Desk, desk_of, failed, paid
from tests.platform.posting import make_quota, order, posted, shown
from tests.platform.ruling import put_in_force, source

WHY = "核查异常支付"
ORDERS = "/api/v1/payment/orders"
HOLD = {"stage": "before", "disposal": "hold", "level": "red"}


@pytest.fixture
def desk(database, client, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


@pytest.fixture
def owner(database) -> Iterator[psycopg.Connection]:
    """The schema's owner; whatever a test froze is thawed after it."""
    with psycopg.connect(database.owner, autocommit=True) as cx:
        yield cx
        freeze.thaw(cx, "the test has ended", "test")


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def document(quota: int, key: str, **more: object) -> dict[str, object]:
    said = {"idempotency_key": key, "fiscal_year": 2010, "division": "450100", "agency_code": "101001"}
    payee = {"payee_name": "示例文具店", "payee_account": "4500000000000001", "purpose": "办公用品采购"}
    return said | payee | {"quota_id": quota, "amount": 100, "pay_date": "2010-03-05"} | more


def number_of_payments(cx: psycopg.Connection) -> int:
    row = cx.execute("SELECT count(*) FROM payment.payment").fetchone()
    assert row
    return int(row[0])


@pytest.mark.usefixtures("owner")
def test_under_load_nothing_is_posted_once_the_freeze_has_returned(desk: Desk, database) -> None:
    quotas = [make_quota(desk.books, 10**9, agency=f"20100{n}") for n in range(4)]
    seen: list[tuple[int, int]] = []

    async def pay_on(place: int, stop: asyncio.Event, refused: list[int]) -> None:
        agency = f"20100{place % 4}"
        while not stop.is_set():
            batch = [order(quotas[place % 4], 1, agency_code=agency) for _ in range(1 + place)]
            try:
                await posted(database.app, desk.token, batch)
            except FrozenError:
                refused.append(place)

    def freeze_and_count() -> None:
        with psycopg.connect(database.owner, autocommit=True) as cx, shown(database.app, desk.token) as books:
            freeze.freeze(cx, WHY, "test")
            at_return = number_of_payments(books)
            time.sleep(0.3)  # for whatever would still come; nothing is measured
            seen.append((at_return, number_of_payments(books)))
            freeze.thaw(cx, "weiter", "test")

    async def rounds() -> list[int]:
        stop, refused = asyncio.Event(), list[int]()
        payers = [asyncio.create_task(pay_on(n, stop, refused)) for n in range(8)]
        for _ in range(6):
            before = number_of_payments(desk.books)
            while number_of_payments(desk.books) < before + 50:
                assert not any(one.done() for one in payers), payers
                await asyncio.sleep(0.01)
            await asyncio.to_thread(freeze_and_count)
        stop.set()
        await asyncio.gather(*payers)
        return refused

    refused = asyncio.run(rounds())
    assert len(seen) == 6
    assert all(at_return == later for at_return, later in seen), seen
    assert set(refused) == set(range(8))


def test_the_freeze_waits_for_what_is_on_its_way_and_nothing_else_waits_for_it(
    desk: Desk, owner, database
) -> None:
    quota, other = make_quota(desk.books, 1_000), make_quota(desk.books, 1_000, agency="201009")
    done = threading.Event()

    def freeze_it() -> None:
        with psycopg.connect(database.owner, autocommit=True) as cx:
            freeze.freeze(cx, WHY, "test")
        done.set()

    async def in_flight() -> None:
        async with await AsyncConnection.connect(database.app, autocommit=True) as cx:
            await cx.execute("SELECT set_config('jincai.session', %s, false)", (desk.token,))
            thread = threading.Thread(target=freeze_it)
            async with cx.transaction():
                assert (await post_ten(cx, quota)).outcome == "posted"
                thread.start()
                await asyncio.to_thread(eventually, lambda: is_frozen(owner))
                # What comes now is answered at once, while the freeze still waits for us.
                with pytest.raises(FrozenError):
                    await posted(database.app, desk.token, [order(other, 1, agency_code="201009")])
                assert not done.is_set()
            await asyncio.to_thread(thread.join, 20)
            assert done.is_set()

    asyncio.run(in_flight())
    used = desk.books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone()
    assert used == (10,)


async def post_ten(cx: AsyncConnection, quota: int):
    from jincai_payment.post import post

    return (await post(cx, [order(quota, 10)]))[0]


def is_frozen(cx: psycopg.Connection) -> bool:
    return cx.execute("SELECT 1 FROM payment.freeze WHERE thawed_at IS NULL").fetchone() is not None


def test_no_door_pays_and_what_was_paid_is_answered_as_before(clerk, desk: Desk, owner) -> None:
    quota = make_quota(desk.books, 1_000)
    first = clerk.post(ORDERS, json=document(quota, f"freeze-{quota}-1")).json()
    freeze.freeze(owner, WHY, "test")
    refused = clerk.post(ORDERS, json=document(quota, f"freeze-{quota}-2"))
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert refused.json()["type"] == "urn:jincai:problem:frozen"
    assert WHY in refused.json()["detail"]
    assert refused.json()["title"] == "支付已冻结"
    assert refused.headers["retry-after"].isdecimal()
    assert clerk.post(ORDERS, json=document(quota, f"freeze-{quota}-1")).json() == first | {"again": True}
    batch = [document(quota, f"freeze-{quota}-{n}") for n in (1, 3)]
    assert clerk.post(f"{ORDERS}/batch", json=batch).status_code == 503
    assert clerk.get("/api/v1/payment/payments?fiscal_year=2010&division=450100").status_code == 200
    freeze.thaw(owner, "已核查", "test")
    assert clerk.post(ORDERS, json=document(quota, f"freeze-{quota}-2")).json()["outcome"] == "posted"


def test_nothing_is_sent_to_the_bank_and_what_it_paid_is_taken_note_of(desk: Desk, owner) -> None:
    one, other, waiting = desk.pay(100, 200, 300, division="450200", agency="301001")
    bank = desk.bank("icbc", "450200")
    assert len(bank.pull(limit=2)) == 2
    freeze.freeze(owner, WHY, "test")
    answer = desk.client.post("/api/v1/payment/bank/instructions", headers=bank.headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:jincai:problem:frozen")
    assert bank.tell(paid(one, 100))[0]["outcome"] == "accepted"
    # A return is a posting: the bank tells it again.
    returned = desk.client.post("/api/v1/payment/bank/receipts", json=[failed(other)], headers=bank.headers)
    assert returned.status_code == 503
    assert desk.left(other) == 200
    freeze.thaw(owner, "已核查", "test")
    assert bank.tell(failed(other))[0]["outcome"] == "accepted"
    assert desk.left(other) == 0
    assert [one["payment_id"] for one in bank.pull()] == [waiting]


def test_a_held_order_is_not_released_but_may_be_rejected(clerk, desk: Desk, owner, database) -> None:
    put_in_force(database.owner, source("R900", "amount >= 500", **HOLD))
    quota = make_quota(desk.books, 10_000)
    keys = [f"freeze-{quota}-{n}" for n in range(2)]
    for key in keys:
        desk.post(order(quota, 600, key, posted_by="somebody else"))
    ids = [
        row[0]
        for row in desk.books.execute(
            "SELECT id FROM payment.held WHERE idempotency_key = ANY (%s) ORDER BY id", (keys,)
        )
    ]
    freeze.freeze(owner, WHY, "test")
    release, reject = (
        f"/api/v1/payment/held/{n}/{verb}" for n, verb in zip(ids, ("release", "reject"), strict=True)
    )
    assert clerk.post(release, json={"reason": "已核实"}).status_code == 503
    assert clerk.post(reject, json={"reason": "不应支付"}).json()["state"] == "rejected"
    freeze.thaw(owner, "已核查", "test")
    assert clerk.post(release, json={"reason": "已核实"}).json()["outcome"] == "posted"


def test_a_version_that_does_not_ask_is_refused_as_well(desk: Desk, owner) -> None:
    (payment,) = desk.pay(100)
    bank = desk.bank()
    assert bank.pull(lease_seconds=1)
    freeze.freeze(owner, WHY, "test")
    columns = (
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
        " WHERE attrelid = 'payment.payment'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    (named,) = owner.execute(columns).fetchone() or ("",)
    copy = f"INSERT INTO payment.payment ({named}) SELECT {named} FROM payment.payment"  # noqa: S608 - columns
    with pytest.raises(psycopg.Error) as stopped:
        desk.books.execute(copy)
    assert stopped.value.sqlstate == "JC010"
    with pytest.raises(psycopg.Error) as unsent:
        desk.books.execute(
            "UPDATE payment.bank_order SET attempts = attempts + 1 WHERE payment_id = %s", (payment,)
        )
    assert unsent.value.sqlstate == "JC010"


def test_pages_and_health_say_so(clerk, owner) -> None:
    assert clerk.get("/healthz").json()["frozen"] is False
    freeze.freeze(owner, WHY, "网信中心")
    health = clerk.get("/healthz")
    assert health.status_code == 200
    assert health.json()["frozen"] is True
    assert health.json()["freeze"]["reason"] == WHY
    page = {"headers": {"Accept": "text/html"}}
    eventually(lambda: WHY in clerk.get("/payment/payments?fiscal_year=2010&division=450100", **page).text)
    assert "支付已冻结" in clerk.get("/login", **page).text
    freeze.thaw(owner, "已核查", "test")
    eventually(lambda: WHY not in clerk.get("/login", **page).text)


def test_the_application_can_neither_freeze_nor_thaw(desk: Desk, owner) -> None:
    freeze.freeze(owner, WHY, "test")
    for tried in (freeze.freeze, freeze.thaw):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tried(desk.books, "anyhow", "app")
    with pytest.raises(psycopg.Error, match="never changed"):
        owner.execute("UPDATE payment.freeze SET reason = 'other'")
    with pytest.raises(psycopg.Error, match="never changed"):
        owner.execute("DELETE FROM payment.freeze")


def test_by_command_again_changes_nothing(owner, database) -> None:
    def jincai(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jincai", *words],
            env={**os.environ, "JINCAI_MIGRATION_DATABASE_URL": database.owner},
            capture_output=True,
            text=True,
            check=False,
        )

    first = jincai("freeze", "--reason", WHY, "--by", "王丽", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["again"] is False
    again = json.loads(jincai("freeze", "--reason", "ein anderer Grund", "--json").stdout)
    assert (again["again"], again["freeze"]["reason"], again["freeze"]["by"]) == (True, WHY, "王丽")
    assert "thawed" in jincai("thaw", "--reason", "已核查").stdout
    assert jincai("thaw", "--reason", "已核查").stdout == "already thawed\n"
    assert not is_frozen(owner)
    assert jincai("freeze", "--reason", " ").returncode == 2
