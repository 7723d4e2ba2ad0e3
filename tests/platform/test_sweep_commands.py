"""`jincai sweep` and `jincai back-test`, as people call them."""

import subprocess
import sys

import psycopg
import pytest

from tests.platform.posting import make_quota, shown, token_for_all
from tests.platform.ruling import put_in_force, source
from tests.platform.sweeping import alerts, orders, post_all

YEAR = ("--from", "2010-01-01", "--to", "2010-12-31")
FOUND = (
    "R802 version 1: would have fired 1 times on 2 records;"
    " only this version 1, both 0, only the one in force 0"
)
pytestmark = pytest.mark.usefixtures("paid")


@pytest.fixture(scope="module")
def paid(database) -> list[int]:
    put_in_force(database.owner)
    with shown(database.app, token_for_all(database.owner)) as cx:
        here, there = make_quota(cx, 10**9), make_quota(cx, 10**9, division="450200")
    ids = post_all(database, orders(here, {"amount": 500}, {"amount": 800}))
    ids += post_all(database, orders(there, {"amount": 900}, division="450200"))
    put_in_force(database.owner, source("R802", "amount >= 700"))
    return ids


def jincai(database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jincai", *arguments],
        env={"JINCAI_DATABASE_URL": database.app, "JINCAI_MIGRATION_DATABASE_URL": database.owner},
        text=True,
        capture_output=True,
        check=False,
    )


def test_a_rule_is_tried_before_anything_is_swept(database, paid) -> None:
    done = jincai(database, "back-test", "R802", *YEAR, "--division", "450100")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            f"2010-03 450100 {1:>8} {'8.00':>20}",
            FOUND,
        ],
    ), done.stderr
    with shown(database.app, token_for_all(database.owner)) as cx:
        assert alerts(cx, paid) == []


def test_a_year_is_swept_and_again_nothing_is_found(database, paid) -> None:
    done = jincai(database, "sweep", *YEAR)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": 3 judged, 2 new alerts, done\n")
    again = jincai(database, "sweep", *YEAR, "--rule", "R802")
    assert again.stdout.endswith(": 3 judged, 0 new alerts, done\n")
    with shown(database.app, token_for_all(database.owner)) as cx:
        assert [one[0] for one in alerts(cx, paid)] == paid[1:]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sweep", *YEAR, "--rule", "R809"), "Rule R809 is not in force; these are: R802."),
        (("sweep", *YEAR, "--division", "45"), "divisions"),
        (("sweep", "--from", "2010-02-01", "--to", "2010-01-01"), "The last day is before the first."),
        (("back-test", "R809", *YEAR), "There is no rule R809."),
        (("back-test", "R802", *YEAR, "--version", "7"), "There is no rule R802 v7."),
    ],
)
def test_what_cannot_be_done_is_said(database, arguments, said) -> None:
    done = jincai(database, *arguments)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
    with psycopg.connect(database.owner) as cx:
        left = cx.execute("SELECT count(*) FROM monitor.sweep WHERE state IN ('waiting', 'running')")
        assert left.fetchone() == (0,)
