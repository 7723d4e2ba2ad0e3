"""回测: what a version of a rule would have fired on, beside the version in force; writes no alerts."""

import io
from itertools import count

import psycopg
import pytest
from jincai.monitoring.sweeps import backtest
from openpyxl import load_workbook

from tests.platform.case_desk import answered, moved, taken
from tests.platform.desk import Person
from tests.platform.posting import make_quota, shown, token_for_all
from tests.platform.ruling import put_in_force, source
from tests.platform.sweeping import asleep, orders, post_all, swept, worked

__all__ = ["asleep"]

API = "/api/v1/monitor"
YEAR = {"from_day": "2010-01-01", "to_day": "2010-12-31"}
pytestmark = pytest.mark.usefixtures("paid")
_numbers = count(100)


@pytest.fixture(scope="module")
def books(database):
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def paid(database, books) -> list[int]:
    """Payments of 100, 200 … 900 in Nanning in March, and one of 900 in Liuzhou in May."""
    put_in_force(database.owner)
    here = post_all(database, orders(make_quota(books, 10**9), *({"amount": n * 100} for n in range(1, 10))))
    quota = make_quota(books, 10**9, division="450200")
    more = {"amount": 900, "division": "450200", "pay_date": "2010-05-06"}
    return here + post_all(database, orders(quota, more))


@pytest.fixture
def maker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_draft", actor="maker"))


@pytest.fixture
def rule() -> str:
    """The number of a rule that no other test speaks of."""
    return f"R{next(_numbers)}"


def draft(database, rule: str, text: str) -> int:
    """A draft; its version."""
    with psycopg.connect(database.owner) as cx:
        row = cx.execute(
            "INSERT INTO monitor.rule_version (rule, version, source, made_by)"
            " SELECT %s, coalesce(max(version), 0) + 1, %s, 'maker' FROM monitor.rule_version WHERE rule = %s"
            " RETURNING version",
            (rule, text, rule),
        ).fetchone()
    assert row
    return int(row[0])


def tried(database, maker: Person, rule: str, **more: object) -> dict:
    """A back-test run to its end: what it says."""
    answer = maker.post(f"{API}/rules/{rule}/back-tests", YEAR | more)
    assert answer.status_code == 202, answer.text
    worked(database)
    return maker.get(f"{API}/back-tests/{answer.json()['id']}").json()


def test_a_draft_beside_the_version_in_force(database, books, paid, maker, rule) -> None:
    put_in_force(database.owner, source(rule, "amount >= 500 AND amount <= 700"))
    swept(database, rules=[rule])
    before = books.execute("SELECT count(*) FROM monitor.alert").fetchone()
    version = draft(database, rule, source(rule, "amount >= 700"))
    said = tried(database, maker, rule)
    assert (said["state"], said["version"], said["fired"], said["percent"]) == ("done", version, 4, 100)
    assert said["compared"] == {"new": 3, "both": 1, "old": 2}
    assert [(one["month"], one["division"], one["fired"], one["amount"]) for one in said["months"]] == [
        ("2010-03", "450100", 3, 2400),
        ("2010-05", "450200", 1, 900),
    ]
    assert books.execute("SELECT count(*) FROM monitor.alert").fetchone() == before
    where = f"{API}/back-tests/{said['id']}/hits"
    lists = {which: maker.get(where, which=which).json() for which in ("all", "new", "both", "old")}
    assert {which: [one["subject_id"] for one in page["items"]] for which, page in lists.items()} == {
        "all": [paid[6], paid[7], paid[8], paid[9]],
        "new": [paid[7], paid[8], paid[9]],
        "both": [paid[6]],
        "old": [paid[4], paid[5]],
    }
    assert maker.get(where, which="all", limit=1, offset=3).json()["items"][0]["subject_id"] == paid[9]
    assert maker.get(where, which="all", offset=1000).status_code == 422


def test_what_was_held_and_released_counts_for_both(database, books, paid, maker, rule) -> None:
    text = source(rule, "amount = 900", stage="before", disposal="hold")
    put_in_force(database.owner, text)
    books.execute(
        "INSERT INTO payment.held (fiscal_year, division, agency_code, quota_id, payee_name, payee_account,"
        "  payee_bank, payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest,"
        "  state, edition, rules, asked_by, decided_by, decided_at, reason, payment_id)"
        " SELECT fiscal_year, division, agency_code, quota_id, payee_name, payee_account, payee_bank,"
        "  payee_kind_code, set_mode_code, purpose, amount, pay_date, idempotency_key, digest, 'released',"
        "  1, ARRAY[%s], 'a', 'b', now(), 'fine', id FROM payment.payment WHERE id = %s",
        (rule, paid[8]),
    )
    said = tried(database, maker, rule)
    assert (said["fired"], said["compared"]) == (2, {"new": 1, "both": 1, "old": 0})


def test_agreement_with_cases_that_people_concluded(database, client, session, maker, rule) -> None:
    put_in_force(database.owner, source(rule, "amount >= 600 AND amount <= 900"))
    swept(database, rules=[rule])
    said = {600: "normal", 700: "normal", 800: "violation", 900: "violation"}
    concluded(database, client, session, rule, said)
    draft(
        database,
        rule,
        source(rule, "amount >= 700 AND amount <= 800 OR amount = 900 AND division = '450100'"),
    )
    found = tried(database, maker, rule)
    assert found["decided"] == {
        "violation_fired": 2,
        "violation_missed": 1,
        "normal_fired": 1,
        "normal_passed": 1,
        "total": 5,
        "percent": 60,
    }
    page = maker.page(f"/monitor/rules/{rule}/back-tests/{found['id']}").text
    assert "<strong>60%</strong> (共 5 件)" in page


def concluded(database, client, session, rule: str, said: dict[int, str]) -> None:
    """A concluded case for each alert of the rule: amount → conclusion."""
    handler = Person(client, session("monitor.read", "monitor.handle", actor="concluder"))
    unit = Person(client, session("monitor.reply", actor="unit"))
    with shown(database.app, token_for_all(database.owner)) as cx:
        for amount, conclusion in said.items():
            alerts = cx.execute(
                "SELECT id FROM monitor.alert WHERE rule = %s AND amount = %s", (rule, amount)
            ).fetchall()
            for (alert,) in alerts:
                case = taken(handler, alert)
                assert moved(handler, case, "inquire", text="请说明", days=5).status_code == 200
                assert answered(unit, case).status_code == 200
                done = moved(handler, case, "conclude", conclusion=conclusion, text="核实完毕")
                assert done.status_code == 200, done.text


def test_the_page_shows_it_and_exports_it(database, paid, maker, rule) -> None:
    draft(database, rule, source(rule, "amount >= 800"))
    base = f"/monitor/rules/{rule}/back-tests"
    wrong = maker.form(base, version="1", from_day="2010-03-02", to_day="2010-03-01")
    assert (wrong.status_code, "截止日期早于起始日期" in wrong.text) == (422, True)
    begun = maker.form(base, version="1", **YEAR, divisions="450100")
    assert begun.status_code == 303, begun.text
    where = begun.headers["location"]
    assert 'http-equiv="refresh"' in maker.page(where).text
    worked(database)
    page = maker.page(where).text
    assert f'href="/payment/payments/{paid[8]}"' in page
    assert f'href="/payment/payments/{paid[9]}"' not in page
    assert "没有本规则的已结案件" in page
    assert 'http-equiv="refresh"' not in page
    assert "已完成" in maker.page(base).text
    file = maker.client.get(f"{where}?format=xlsx", headers=maker.headers)
    rows = list(load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True))
    assert [row[4] for row in rows[1:]] == [paid[7], paid[8]]
    assert float(rows[1][5]) == 8.0
    assert maker.form(f"{where}/delete").headers["location"] == base
    assert maker.page(where).status_code == 404


def test_a_hundred_thousand_hits_are_enough(database, maker, rule, monkeypatch) -> None:
    draft(database, rule, source(rule, "amount > 0"))
    monkeypatch.setattr(backtest, "HITS_MOST", 5)
    said = tried(database, maker, rule)
    assert (said["state"], said["why"]) == ("failed", "too_many")
    assert "请收紧条件" in maker.page(f"/monitor/rules/{rule}/back-tests/{said['id']}").text


def test_a_rule_that_is_too_slow_is_stopped(database, books, maker, rule, monkeypatch) -> None:
    draft(database, rule, source(rule, "amount > 0"))
    slow = "(SELECT count(*) FROM pg_sleep(0.02)) = 1"
    found = backtest._understood
    monkeypatch.setattr(backtest, "_understood", lambda *given: (found(*given)[0], slow))
    monkeypatch.setattr(backtest, "PIECE_MILLISECONDS", 1)
    said = tried(database, maker, rule)
    assert (said["state"], said["why"]) == ("failed", "too_slow")
    assert said["fired"] == 0
    # It was tried with fewer and fewer records first.
    size = "SELECT min(size) FROM monitor.back_test_part WHERE back_test = %s"
    assert books.execute(size, (said["id"],)).fetchone() == (1000,)
    assert "规则太慢" in maker.page(f"/monitor/rules/{rule}/back-tests/{said['id']}").text


def test_a_record_that_cannot_be_judged_ends_it(database, maker, rule, monkeypatch) -> None:
    draft(database, rule, source(rule, "amount > 0"))
    found, fails = backtest._understood, "p.amount * 90000000000000000 > 0"
    monkeypatch.setattr(backtest, "_understood", lambda *given: (found(*given)[0], fails))
    said = tried(database, maker, rule)
    assert (said["state"], said["why"], said["detail"]) == ("failed", "not_judged", "bigint out of range")


def test_time_is_bounded(database, maker, rule, monkeypatch) -> None:
    draft(database, rule, source(rule, "amount > 0"))
    monkeypatch.setattr(backtest, "SECONDS_MOST", -1.0)
    assert tried(database, maker, rule)["why"] == "too_long"


def test_a_draft_that_changes_is_tried_as_it_was(database, maker, rule) -> None:
    draft(database, rule, source(rule, "amount = 100"))
    answer = maker.post(f"{API}/rules/{rule}/back-tests", YEAR).json()
    with psycopg.connect(database.owner) as cx:
        cx.execute("UPDATE monitor.rule_version SET source = %s, revision = 2 WHERE rule = %s",
                   (source(rule, "amount > 0"), rule))  # fmt: skip
    worked(database)
    assert maker.get(f"{API}/back-tests/{answer['id']}").json()["fired"] == 1


def test_cancelled_and_deleted(database, books, maker, rule) -> None:
    draft(database, rule, source(rule, "amount > 0"))
    number = maker.post(f"{API}/rules/{rule}/back-tests", YEAR).json()["id"]
    assert maker.post(f"{API}/back-tests/{number}/cancel", {}).json()["state"] == "cancelled"
    worked(database)
    said = maker.get(f"{API}/back-tests/{number}").json()
    assert (said["state"], said["judged"]) == ("cancelled", 0)
    assert maker.client.delete(f"{API}/back-tests/{number}", headers=maker.headers).status_code == 204
    assert maker.get(f"{API}/back-tests/{number}").status_code == 404
    left = "SELECT count(*) FROM monitor.back_test_part WHERE back_test = %s"
    assert books.execute(left, (number,)).fetchone() == (0,)


def test_only_so_many_are_kept(database, maker, rule, monkeypatch) -> None:
    draft(database, rule, source(rule, "amount = 1"))
    monkeypatch.setattr(backtest, "KEPT_MOST", 1)
    assert tried(database, maker, rule)["fired"] == 0
    answer = maker.post(f"{API}/rules/{rule}/back-tests", YEAR)
    assert (answer.status_code, "请先删除" in answer.json()["detail"]) == (409, True)


def test_permissions_and_scope(database, maker, client, session, rule) -> None:
    draft(database, rule, source(rule, "amount >= 800"))
    number = tried(database, maker, rule)["id"]
    reader = Person(client, session("monitor.read", divisions=["450200"]))
    said = reader.get(f"{API}/back-tests/{number}").json()
    assert (said["fired"], said["divisions"], len(said["months"])) == (1, 1, 1)
    assert reader.post(f"{API}/rules/{rule}/back-tests", YEAR).status_code == 403
    assert reader.client.delete(f"{API}/back-tests/{number}", headers=reader.headers).status_code == 403
    assert Person(client, session("payment.read")).get(f"{API}/back-tests/{number}").status_code == 403
    nowhere = Person(client, session("monitor.read", divisions=["450300"]))
    assert nowhere.get(f"{API}/back-tests/{number}").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"version": 9}, 404), ({"from_day": "2009-01-01", "to_day": "2019-01-01"}, 422), ({"colour": 1}, 422)],
)
def test_wrong_input_is_refused(database, maker, wrong, status) -> None:
    if maker.get(f"{API}/rules/R99/back-tests").json() == []:
        put_in_force(database.owner, source("R99", "amount > 0"))
    assert maker.post(f"{API}/rules/R99/back-tests", YEAR | wrong).status_code == status


def test_a_rule_that_is_wrong_is_not_begun(database, maker, rule) -> None:
    draft(database, rule, source(rule, "colour > 0"))
    answer = maker.post(f"{API}/rules/{rule}/back-tests", YEAR)
    assert (answer.status_code, "colour" in answer.json()["detail"]) == (422, True)


def test_a_version_on_trial_beside_the_one_in_force(database, paid, maker, rule) -> None:
    live, trial = source(rule, "amount >= 800"), source(rule, "amount >= 900 OR amount = 100")
    assert maker.get(f"{API}/rules/{rule}/shadow").status_code == 404
    put_in_force(database.owner, live, shadow=(trial,))
    swept(database, rules=[rule])
    said = maker.get(f"{API}/rules/{rule}/shadow").json()
    assert (said["both"], said["only_live"], said["only_shadow"]) == (2, 1, 1)
    where = f"{API}/rules/{rule}/shadow/alerts"
    lists = {
        which: [one["subject_id"] for one in maker.get(where, which=which).json()["items"]]
        for which in ("both", "live", "shadow")
    }
    assert lists == {"both": [paid[9], paid[8]], "live": [paid[7]], "shadow": [paid[0]]}
    page = maker.page(f"/monitor/rules/{rule}/back-tests").text
    assert 'id="shadow"' in page
    assert f'href="/monitor/rules/{rule}/shadow?which=shadow">1<' in page
    assert (
        f'href="/payment/payments/{paid[0]}"' in maker.page(f"/monitor/rules/{rule}/shadow?which=shadow").text
    )
    file = maker.client.get(f"/monitor/rules/{rule}/shadow?which=both&format=xlsx", headers=maker.headers)
    assert len(list(load_workbook(io.BytesIO(file.content)).active.iter_rows())) == 3
