"""The simulated bank, a process of its own, against the application behind a real socket."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai_payment.bank.simulator.bank import Bank as Simulated
from jincai_payment.bank.simulator.conduct import Conduct
from jincai_payment.bank.simulator.socket import AwayError

from tests.platform.banking import Desk, desk_of

PERIOD = ["--pay-from", "2010-01-01", "--pay-to", "2010-12-31"]
LIVELY = ["--refuse", "0.3", "--refund", "0.3", "--repeat", "0.5", "--delay", "0.3", "--shuffle"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def desk(database, client: TestClient, session) -> Iterator[Desk]:
    with desk_of(database.app, database.owner, client, session) as desk:
        yield desk


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the simulator as anybody would; ends it in the end."""
    running: list[subprocess.Popen[str]] = []

    def start(url: str, key: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "jincai_payment.bank.simulator", "--url", url, *PERIOD, *arguments]
        environment = os.environ | {"JINCAI_BANK_KEY": key}
        running.append(
            subprocess.Popen(
                command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        )
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
        one.communicate()


def done(process: "subprocess.Popen[str]", code: int = 0) -> dict[str, int]:
    """What it said that it did, after it ended with ``code``."""
    said, wrong = process.communicate(timeout=60)
    assert process.returncode == code, wrong
    found: dict[str, int] = json.loads(said)
    return found


def states(desk: Desk, payments: list[int]) -> dict[str, int]:
    rows = desk.books.execute(
        "SELECT state, count(*) FROM payment.bank_order WHERE payment_id = ANY (%s) GROUP BY 1", (payments,)
    ).fetchall()
    return dict(rows)


def discrepancies(desk: Desk) -> list[tuple[object, ...]]:
    return desk.books.execute("SELECT payment_id, problem FROM payment.bank_discrepancy").fetchall()


def test_a_lively_bank_answers_everything_and_the_books_agree(desk, live, start) -> None:
    made = desk.pay(*range(1, 101))
    told = done(start(live, desk.bank().token, *LIVELY, "--once", "--limit", "30"))
    found = states(desk, made)
    assert set(found) == {"paid", "failed"}
    assert (found["paid"], found["failed"]) == (told["paid"], told["failed"])
    assert told["refunded"] > 0
    assert told["repeated"] > 0
    assert sum(found.values()) == told["taken"] == 100
    assert discrepancies(desk) == []
    for payment in made:
        back = desk.books.execute(
            "SELECT coalesce(sum(amount), 0)::bigint FROM payment.bank_refund WHERE payment_id = %s",
            (payment,),
        ).fetchone()
        amount = desk.state(payment)[2]
        assert isinstance(amount, int)
        assert back
        assert desk.left(payment) == amount - back[0]


def test_two_banks_at_once_share_the_work(desk, live, start) -> None:
    made = desk.pay(*[10] * 60)
    banks = [start(live, desk.bank(f"bank{n}").token, *LIVELY, "--once", "--limit", "7") for n in range(2)]
    told = [done(one) for one in banks]
    assert sum(one.get("taken", 0) for one in told) == 60
    assert sum(states(desk, made).values()) == 60
    assert discrepancies(desk) == []


def test_it_waits_for_a_platform_that_is_away_and_ends_on_sigterm(desk, live, start, database) -> None:
    """The database's connections are cut under it; it goes on, and SIGTERM ends it between two steps."""
    made = desk.pay(*[10] * 40)
    bank = start(live, desk.bank().token, "--limit", "5", "--delay", "0.5", "--lease-seconds", "2")
    for _ in range(3):
        time.sleep(0.3)
        with psycopg.connect(database.app, autocommit=True) as cx:
            cx.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'jincai requests'"
            )
    deadline = time.monotonic() + 30
    while states(desk, made).get("paid", 0) < 40 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert states(desk, made) == {"paid": 40}
    began = time.monotonic()
    bank.send_signal(signal.SIGTERM)
    told = done(bank)
    # What was taken when a connection broke was told again, and answered as a repetition.
    assert told["paid"] <= 40 <= told["paid"] + told.get("repeated", 0)
    assert time.monotonic() - began < 5


def test_what_it_left_unanswered_is_answered_the_same_by_the_next_one(desk, live, start) -> None:
    """Stopped before it answers; its lease ends, and the next process of the same bank gets them again."""
    made = desk.pay(*[10] * 20)
    key = desk.bank().token
    first = start(live, key, "--delay", "3600", "--lease-seconds", "1")
    deadline = time.monotonic() + 30
    while states(desk, made) != {"sent": 20} and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    done(first)
    time.sleep(1.1)
    assert done(start(live, key, "--refuse", "0.5", "--once"))["again"] == 20
    assert states(desk, made).keys() == {"paid", "failed"}
    assert discrepancies(desk) == []


@pytest.mark.parametrize(
    ("asked", "ended"),
    [
        (["http://127.0.0.1:1", "jincai_x", "--once", "--patience", "0.5"], (3, "stayed away")),
        (["{live}", "jincai_wrong", "--once"], (2, "refuses: 401")),
        (["{live}", ""], (2, "JINCAI_BANK_KEY")),
        (["ftp://x", "k"], (2, "ftp://x")),
        (["{live}", "k", "--refuse", "2"], (2, "between 0 and 1")),
        (["{live}", "k", "--delay", "-1"], (2, "between 0 and 86400")),
    ],
)
def test_what_cannot_work_is_said(live, start, asked, ended) -> None:
    (url, key, *arguments), (code, said) = asked, ended
    process = start(url.format(live=live), key, *arguments)
    _, wrong = process.communicate(timeout=30)
    assert (process.returncode, said in wrong) == (code, True), wrong
    assert "Traceback" not in wrong


def instruction(number: int) -> dict[str, Any]:
    return {"payment_id": number, "amount": 100, "pay_date": "2010-03-05", "attempts": 1}


def test_its_conduct_follows_from_seed_and_payment_alone() -> None:
    lively = Conduct(7, refuse=0.5, refund=0.5, repeat=0.5, delay=9.0, shuffle=True)
    again = Conduct(7, refuse=0.5, refund=0.5, repeat=0.5, delay=9.0, shuffle=True)
    for number in range(200):
        told = lively.answers(instruction(number))
        assert told == again.answers(instruction(number))
        assert all(0 <= late <= 9 for late, _ in told)
    outcomes = [
        Conduct(7, refuse=0.02).answers(instruction(number))[0][1]["outcome"] for number in range(5_000)
    ]
    assert 60 < outcomes.count("failed") < 140


class Moody:
    """A platform that is away every second time, and hands out 1,000 instructions a time without end."""

    def __init__(self) -> None:
        self.asked = 0
        self.told = 0

    def instructions(self) -> list[dict[str, Any]]:
        self.asked += 1
        if self.asked % 2:
            raise AwayError("away")
        return [instruction(self.asked * 1_000 + n) for n in range(1_000)]

    def receipts(self, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.told += len(told)
        return [{"problem": "", "again": False} for _ in told]


def test_it_never_holds_more_than_its_bound() -> None:
    stop = threading.Event()
    moody = Moody()
    bank = Simulated(moody, Conduct(delay=86_400.0), stop)
    worker = threading.Thread(target=bank.run)
    worker.start()
    time.sleep(2.5)
    stop.set()
    worker.join(timeout=10)
    assert not worker.is_alive()
    assert 5_000 <= bank.counts["taken"] <= 6_000
    assert bank.counts["away"] >= 5
