"""The seeded year: the same for everybody, exact to the fen, posted once however often it is begun."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest
from jincai_payment.year import replay
from jincai_payment.year.generate import DIVISIONS, FEN, PAYMENTS, SeedYear

from tests.platform.posting import assert_books_agree, shown, token_for_all

SMALL = {"payments": 3_000, "fen": 3_000 * 54_173_516}


def quiet(_: int) -> None:
    """No progress to be seen."""


def test_the_real_size_is_exact() -> None:
    year = SeedYear()
    assert len(year.amounts) == PAYMENTS == sum(year.counts.values())
    assert sum(year.amounts) == FEN == 593_200_000_000_00
    assert min(year.amounts) >= 100
    # Heavy-tailed: a hundredth of the payments is a good part of the money.
    largest = sorted(year.amounts, reverse=True)[: PAYMENTS // 100]
    assert 0.15 < sum(largest) / FEN < 0.6


def test_the_same_seed_gives_the_same_year_and_another_seed_another() -> None:
    def orders(seed: int) -> list[object]:
        year = SeedYear(seed, **SMALL)
        return [made for division in DIVISIONS for made in year.orders(division)]

    assert orders(2010) == orders(2010)
    assert orders(2010) != orders(2011)


def test_orders_are_in_their_year() -> None:
    year = SeedYear(payments=60_000, fen=60_000 * 54_173_516)
    for division in DIVISIONS:
        for made in year.orders(division):
            order = made.order
            assert order.pay_date.year == order.fiscal_year
            assert dt.date(2010, 1, 1) <= order.pay_date <= dt.date(2011, 1, 31)


@pytest.fixture(scope="module")
def replayed(database) -> replay.Replayed:
    return replay.run(database.app, database.owner, SeedYear(**SMALL), quiet)


def test_every_order_posts_and_everything_agrees_to_the_fen(database, replayed) -> None:
    assert replayed.counts == replay.Counts(posted=SMALL["payments"])
    assert 0 < replayed.posting_seconds < replayed.seconds
    assert all(line.agrees for line in replayed.lines)
    assert sum(line.paid for line in replayed.lines) == SMALL["fen"]
    assert {line.division for line in replayed.lines} == set(DIVISIONS)
    with shown(database.app, token_for_all(database.owner)) as cx:
        assert_books_agree(cx)


def test_again_posts_nothing_again(database, replayed) -> None:
    again = replay.run(database.app, database.owner, SeedYear(**SMALL), quiet)
    assert again.counts == replay.Counts(again=SMALL["payments"])
    assert list(again.lines) == list(replayed.lines)


@pytest.mark.usefixtures("replayed")
def test_killed_in_the_middle_the_next_run_ends_with_the_same_balances(database, server) -> None:
    """Another seed of the same size: killed with SIGKILL, then the server crashes, then once more."""
    program = (
        "import sys; from jincai_payment.year import replay;"
        "from jincai_payment.year.generate import SeedYear;"
        f"replay.BATCH = 100; replay.run(sys.argv[1], sys.argv[2], SeedYear(7, **{SMALL}), lambda _: None)"
    )
    argv = [sys.executable, "-c", program, database.app, database.owner]
    process = subprocess.Popen(argv, start_new_session=True, stderr=subprocess.DEVNULL)
    seen = "SELECT count(*) FROM payment.payment WHERE idempotency_key LIKE 'seed7-%'"
    token = token_for_all(database.owner)
    end = time.monotonic() + 60
    with shown(database.app, token) as cx:
        while (cx.execute(seen).fetchone() or (0,))[0] < 300:
            assert time.monotonic() < end
            assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    server.stop("immediate")
    server.start()
    done = replay.run(database.app, database.owner, SeedYear(7, **SMALL), quiet)
    counts = done.counts
    assert counts == replay.Counts(posted=SMALL["payments"] - counts.again, again=counts.again)
    assert 0 < counts.again < SMALL["payments"]
    with shown(database.app, token) as cx:
        assert_books_agree(cx)
        paid = cx.execute("SELECT sum(amount) FROM payment.payment").fetchone()
        assert paid == (2 * SMALL["fen"],)
