"""回扫: rules over history find what they would have found at once, once, and go on where they stood."""

import asyncio
import datetime as dt
import time
from itertools import count

import psycopg
import pytest
from jincai.database import Database
from jincai.identity import SHANGHAI
from jincai.monitoring import judging, rulesets
from jincai.monitoring.sweeps import judge, schedule, sweep, walk
from jincai.monitoring.sweeps.sweep import SweepAsked
from jincai_payment.monitored import PAYMENTS
from psycopg import AsyncConnection

from tests.platform.desk import Person
from tests.platform.posting import make_quota, shown, token_for_all
from tests.platform.ruling import put_in_force, source
from tests.platform.sweeping import FROM, KNOWN, TO, alerts, asleep, orders, post_all, stepped, swept, worked

__all__ = ["asleep"]

API = "/api/v1/monitor/sweeps"
CASH = source("R2", "amount >= 5000000 AND set_mode_code = '2'", level="red")
SPLIT = source("R4", "amount < 400 AND past_count(days(2), same(payee_account)) >= 2", level="orange")
LARGE = source("R9", "amount >= 700", stage="before", disposal="hold")
QUOTA = source("R14", "quota_exceeded", stage="before", disposal="forbid")
pytestmark = pytest.mark.usefixtures("paid")
_numbers = count(1)
YEAR = {"from_day": str(FROM), "to_day": str(TO)}


@pytest.fixture(scope="module")
def books(database):
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture
def paid(database, books) -> list[int]:
    """A quota's payments: of cash, split into three, small and large, in two divisions."""
    put_in_force(database.owner)
    split = [{"amount": 300, "payee_account": f"62{next(_numbers):010}"}] * 4
    cash = {"amount": 6_000_000, "set_mode_code": "2"}
    here = post_all(database, orders(make_quota(books, 10**9), cash, *split, {"amount": 900}))
    there = make_quota(books, 10**9, division="450200")
    return here + post_all(database, orders(there, *split[:3], division="450200"))


def told_at_once(database, ids: list[int]) -> None:
    """Writes the alerts as posting does, payment by payment."""

    async def work() -> None:
        async with await AsyncConnection.connect(database.app) as cx:
            token = token_for_all(database.owner)
            await cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
            ruleset = await rulesets.in_force(cx, PAYMENTS)
            statement = judging.write_alerts(judging.alerting(ruleset), PAYMENTS, "posting")
            where = " AND p.kind = 'payment' AND p.id = ANY (%s) ON CONFLICT DO NOTHING"
            for one in ids:
                await cx.execute((statement + where).encode(), (ruleset.edition, [one]))

    asyncio.run(work())


def state(books, number: int) -> tuple[str, dict[str, str]]:
    return books.execute("SELECT state, trouble FROM monitor.sweep WHERE id = %s", (number,)).fetchone()


def test_it_finds_what_posting_finds_and_then_nothing(database, books, paid) -> None:
    put_in_force(database.owner, CASH, SPLIT, QUOTA)
    number = swept(database)
    found = alerts(books, paid)
    expected = {(paid[0], "R2"), (paid[3], "R4"), (paid[4], "R4"), (paid[8], "R4")}
    assert {one[:2] for one in found} == expected
    assert state(books, number) == ("done", {})
    told_at_once(database, paid)
    assert alerts(books, paid) == found


def test_after_posting_a_sweep_adds_nothing(database, books, paid) -> None:
    put_in_force(database.owner, CASH, SPLIT, QUOTA)
    told_at_once(database, paid)
    found = alerts(books, paid)
    assert len(found) == 4
    number = swept(database)
    assert alerts(books, paid) == found
    sums = "SELECT sum(found), sum(judged) FROM monitor.sweep_part WHERE sweep = %s"
    assert books.execute(sums, (number,)).fetchone()[0] == 0
    by = "SELECT DISTINCT found_by FROM monitor.alert WHERE subject_id = ANY (%s)"
    assert books.execute(by, (paid,)).fetchall() == [("posting",)]


def test_posted_under_rules_and_swept_afterwards_are_the_same(database, books) -> None:
    def posted_year() -> list[int]:
        quota = make_quota(books, 10**9)
        payee = f"63{next(_numbers):010}"
        amounts = [300, 5_000_000, 399, 350, 400, 120, 6_000_000, 380]
        return post_all(
            database,
            orders(
                quota,
                *({"amount": n, "set_mode_code": "12"[n > 10**6], "payee_account": payee} for n in amounts),
            ),
        )

    put_in_force(database.owner, CASH, SPLIT, QUOTA, shadow=(source("R2", "amount >= 6000000"),))
    at_once = posted_year()
    live = alerts(books, at_once)
    number = swept(database)
    assert alerts(books, at_once) == live
    found = "SELECT sum(found) FROM monitor.sweep_part WHERE sweep = %s"
    assert live
    put_in_force(database.owner)
    afterwards = posted_year()
    assert alerts(books, afterwards) == []
    put_in_force(database.owner, CASH, SPLIT, QUOTA, shadow=(source("R2", "amount >= 6000000"),))
    number = swept(database)
    assert books.execute(found, (number,)).fetchone() == (len(live),)
    places = {one: n for n, one in enumerate(at_once)} | {one: n for n, one in enumerate(afterwards)}
    assert [(places[one[0]], *one[1:]) for one in alerts(books, afterwards)] == [
        (places[one[0]], *one[1:]) for one in live
    ]


def test_pieces_of_any_size_find_the_same(database, books, paid) -> None:
    put_in_force(database.owner, CASH, SPLIT)
    number = stepped(database, YEAR, size=2, steps=3)
    assert state(books, number)[0] == "running"
    progress = "SELECT sum(judged) FROM monitor.sweep_part WHERE sweep = %s"
    assert books.execute(progress, (number,)).fetchone() == (6,)
    worked(database)
    assert state(books, number)[0] == "done"
    assert {one[:2] for one in alerts(books, paid)} == {
        (paid[0], "R2"), (paid[3], "R4"), (paid[4], "R4"), (paid[8], "R4")
    }  # fmt: skip
    payments = books.execute("SELECT count(*) FROM payment.payment WHERE kind = 'payment'").fetchone()
    assert books.execute(progress, (number,)).fetchone() == payments


def test_a_rule_is_silent_about_what_it_held_and_somebody_released(database, books, paid) -> None:
    released, other = paid[0], paid[5]
    books.execute(
        "INSERT INTO payment.held (fiscal_year, division, agency_code, quota_id, payee_name, payee_account,"
        "  payee_bank, payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest,"
        "  state, edition, rules, asked_by, decided_by, decided_at, reason, payment_id)"
        " SELECT fiscal_year, division, agency_code, quota_id, payee_name, payee_account, payee_bank,"
        "  payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest, 'released',"
        "  1, '{R9}', 'a', 'b', now(), 'fine', id FROM payment.payment WHERE id = %s",
        (released,),
    )
    edition = put_in_force(database.owner, LARGE, shadow=(source("R9", "amount >= 800", stage="before",
                                                                 disposal="hold"),))  # fmt: skip
    swept(database)
    assert [one[:2] for one in alerts(books, paid) if not one[4]] == [(other, "R9")]
    # Its version on trial says what it would have said of every order.
    assert [one[0] for one in alerts(books, paid) if one[4]] == [released, other]
    row = books.execute("SELECT edition, found_by FROM monitor.alert WHERE subject_id = %s", (other,))
    assert set(row.fetchall()) == {(edition, "sweep")}


def test_what_undoes_a_payment_is_not_judged(database, books) -> None:
    quota = make_quota(books, 10**9)
    payment = post_all(database, orders(quota, {"amount": 5}))
    undoing = post_all(database, orders(quota, {"amount": -5, "kind": "refund", "undoes": payment[0]}))
    after = post_all(database, orders(quota, {"amount": 6}))
    put_in_force(database.owner, source("R900", "amount < 1000000"))
    swept(database)
    assert [one[0] for one in alerts(books, payment + undoing + after)] == payment + after


def test_period_divisions_and_rules_bound_it(database, books, paid) -> None:
    put_in_force(database.owner, CASH, SPLIT)
    swept(database, from_day="2010-03-06")
    assert alerts(books, paid) == []
    swept(database, to_day="2010-03-04")
    assert alerts(books, paid) == []
    swept(database, divisions=["450200"])
    assert {one[0] for one in alerts(books, paid)} == {paid[8]}
    swept(database, rules=["R2"], from_day="2010-03-05", to_day="2010-03-05")
    assert {one[1] for one in alerts(books, paid)} == {"R2", "R4"}
    assert len(alerts(books, paid)) == 2


def test_a_rule_that_fails_does_not_keep_the_others(database, books, paid, monkeypatch) -> None:
    put_in_force(database.owner, CASH, source("R901", "amount < 0"))
    # The language lets no such rule through; a lookup of a system may still fail.
    fails = "p.amount * 9000000000000000 > 0"
    monkeypatch.setattr(
        judge, "unless_released", lambda one, _: _with(one, fails) if one.rule.id == "R901" else one
    )
    number = swept(database)
    assert {one[:2] for one in alerts(books, paid)} == {(paid[0], "R2")}
    said, trouble = state(books, number)
    assert said == "incomplete"
    ((rule, why),) = trouble.items()
    assert (rule.split()[0], why) == ("R901", "bigint out of range")


def test_a_piece_that_takes_too_long_becomes_smaller(database, books, monkeypatch) -> None:
    put_in_force(database.owner, CASH)
    monkeypatch.setattr(judge, "TOGETHER_MILLISECONDS", 1)
    slow = "(SELECT count(*) FROM pg_sleep(0.02)) = 1 AND p.amount < 0"
    monkeypatch.setattr(judge, "unless_released", lambda one, _: _with(one, slow))
    number = stepped(database, YEAR, size=20_000, steps=1)
    sizes = "SELECT max(size), min(size) FROM monitor.sweep_part WHERE sweep = %s"
    assert books.execute(sizes, (number,)).fetchone() == (20_000, 5_000)
    monkeypatch.undo()
    worked(database)
    assert state(books, number) == ("done", {})


def _with(one, predicate: str):
    from dataclasses import replace

    return replace(one, predicate=predicate)


def test_what_posting_left_unjudged_is_caught_up(database, books, paid) -> None:
    edition = put_in_force(database.owner, CASH, SPLIT, source("R13", "amount > 0", stage="after"))
    books.execute(
        "INSERT INTO monitor.unjudged (edition, subject, division, ids, why)"
        " VALUES (%s, 'payment', '450100', %s, 'test')",
        (edition, paid[:6]),
    )
    worked(database)
    # The after stage is left to the night.
    assert {one[:2] for one in alerts(books, paid)} == {(paid[0], "R2"), (paid[3], "R4"), (paid[4], "R4")}
    left = "SELECT count(*) FROM monitor.unjudged WHERE swept_at IS NULL"
    assert books.execute(left).fetchone() == (0,)


def test_each_night_has_one_sweep_from_two_oclock(database, books, paid) -> None:
    put_in_force(database.owner, CASH)
    early, late = (dt.datetime(2010, 3, 20, hour, tzinfo=SHANGHAI) for hour in (1, 3))

    async def begun(*moments: dt.datetime) -> list[int | None]:
        pool = Database(database.app, size=2, name="test")
        await pool.open()
        try:
            token = token_for_all(database.owner)
            hands = [schedule.Nights(KNOWN, schedule.begins_at()) for _ in range(2)]
            return [
                await pool.write(lambda cx, hand=hand, now=now: hand.begin(cx, now), token=token)
                for now in moments
                for hand in hands
            ]
        finally:
            await pool.close()

    assert asyncio.run(begun(early)) == [None, None]
    first, second = asyncio.run(begun(late))
    assert (first is not None, second) == (True, None)
    worked(database)
    assert {one[0] for one in alerts(books, paid)} == {paid[0]}
    period = "SELECT from_day, to_day, made_by FROM monitor.sweep WHERE id = %s"
    expected = (dt.date(2010, 2, 8), dt.date(2010, 3, 20), schedule.ACTOR)
    assert books.execute(period, (first,)).fetchone() == expected


def test_two_hands_do_each_piece_once(database, books) -> None:
    put_in_force(database.owner, CASH, SPLIT)
    number = stepped(database, YEAR, size=1, steps=0)
    worked(database, hands=4)
    assert state(books, number)[0] == "done"
    judged = "SELECT sum(judged) FROM monitor.sweep_part WHERE sweep = %s"
    payments = books.execute("SELECT count(*) FROM payment.payment WHERE kind = 'payment'").fetchone()
    assert books.execute(judged, (number,)).fetchone() == payments


def test_the_application_does_it_by_itself(database, books, paid, serving, monkeypatch) -> None:
    put_in_force(database.owner, CASH, SPLIT)
    number, today = stepped(database, YEAR), walk.today()
    monkeypatch.setattr(schedule, "POLL_SECONDS", 0.05)
    # Whatever the time of day, this night has its sweep, too.
    monkeypatch.setenv(schedule.VARIABLE, "00:00")
    night = "SELECT count(*) FROM monitor.sweep WHERE night >= %s AND state = 'done'"
    with serving(database.app, auth_database_url=database.auth):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if state(books, number)[0] == "done" and books.execute(night, (today,)).fetchone()[0]:
                break
            time.sleep(0.05)
    assert state(books, number) == ("done", {})
    assert len(alerts(books, paid)) == 4
    assert books.execute(night, (today,)).fetchone()[0]


def test_asked_for_over_http(database, books, paid, client, session) -> None:
    put_in_force(database.owner, CASH, SPLIT)
    maker = Person(client, session("monitor.read", "monitor.handle", divisions=["450100"], actor="maker"))
    answer = maker.post(API, YEAR | {"rules": ["R2", "R4"]})
    assert answer.status_code == 202, answer.text
    number = answer.json()["id"]
    assert [(one["division"], one["done"]) for one in answer.json()["parts"]] == [("450100", False)]
    page = maker.page(f"/monitor/sweeps/{number}")
    assert page.status_code == 200
    assert 'http-equiv="refresh"' in page.text
    worked(database)
    found = maker.get(f"{API}/{number}").json()
    assert (found["state"], found["percent"], found["made_by"]) == ("done", 100, "maker")
    assert found["found"] >= 3
    assert maker.get(API).json()["items"][0]["id"] == number
    # Only what this person sees was swept, and only who sees it is told.
    assert {one[0] for one in alerts(books, paid)} == {paid[0], paid[3], paid[4]}
    elsewhere = Person(client, session("monitor.read", divisions=["450200"]))
    assert elsewhere.get(f"{API}/{number}").status_code == 404
    assert elsewhere.post(API, YEAR).status_code == 403
    unit = Person(
        client, session("monitor.read", "monitor.handle", divisions=["450100"], agencies=["101001"])
    )
    assert unit.post(API, YEAR).status_code == 403


def test_the_page_begins_and_cancels(database, client, session) -> None:
    put_in_force(database.owner, CASH)
    maker = Person(client, session("monitor.read", "monitor.handle", actor="maker"))
    wrong = maker.form("/monitor/sweeps", from_day="2010-03-02", to_day="2010-03-01")
    assert (wrong.status_code, "截止日期早于起始日期" in wrong.text) == (422, True)
    unknown = maker.form("/monitor/sweeps", **YEAR, rules="R999")
    assert (unknown.status_code, "规则 R999 未生效。生效的有:R2。" in unknown.text) == (422, True)
    begun = maker.form("/monitor/sweeps", **YEAR, divisions="450100, 450200", rules="R2")
    assert begun.status_code == 303, begun.text
    where = begun.headers["location"]
    assert "取消" in maker.page(where).text
    assert maker.form(f"{where}/cancel").status_code == 303
    assert "已取消" in maker.page(where).text
    worked(database)
    assert "已取消" in maker.page(where).text
    assert "Cancelled" in maker.page("/monitor/sweeps?lang=en").text
    maker.page("/monitor/sweeps?lang=zh")


@pytest.mark.parametrize(
    "wrong",
    [{"from_day": "2010-13-01"}, {"to_day": "2013-12-31"}, {"divisions": ["x"]}, {"rules": ["R77"]},
     {"colour": 1}, {"divisions": ["999999"]}],
)  # fmt: skip
def test_wrong_input_is_refused(database, client, session, wrong) -> None:
    put_in_force(database.owner, CASH)
    maker = Person(client, session("monitor.read", "monitor.handle"))
    assert maker.post(API, YEAR | wrong).status_code == 422


def test_without_rules_there_is_nothing_to_sweep(client, session) -> None:
    maker = Person(client, session("monitor.read", "monitor.handle"))
    assert maker.post(API, YEAR).status_code == 409


def test_only_so_many_wait(database, books, client, session) -> None:
    put_in_force(database.owner, CASH)
    maker = Person(client, session("monitor.read", "monitor.handle"))
    answers = [maker.post(API, YEAR).status_code for _ in range(sweep.WAITING_MOST + 1)]
    assert answers == [202] * sweep.WAITING_MOST + [409]
    with pytest.raises(psycopg.errors.CheckViolation):
        books.execute("UPDATE monitor.sweep SET state = 'lost' WHERE state = 'waiting'")
    for number in books.execute("SELECT id FROM monitor.sweep WHERE state = 'waiting'").fetchall():
        assert maker.post(f"{API}/{number[0]}/cancel", {}).json()["state"] == "cancelled"


def test_a_time_of_day_is_checked(monkeypatch) -> None:
    monkeypatch.setenv(schedule.VARIABLE, "04:30")
    assert (schedule.begins_at().hour, schedule.begins_at().minute) == (4, 30)
    monkeypatch.setenv(schedule.VARIABLE, "25:00")
    with pytest.raises(Exception, match="no time of day"):
        schedule.begins_at()
    assert SweepAsked(from_day=FROM, to_day=TO).divisions == ()
