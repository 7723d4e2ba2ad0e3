"""Rules within posting: what is held stays unpaid through every door; one edition judges a payment."""

import asyncio
import threading
from collections.abc import Iterator

import psycopg
import pytest
from jincai_payment.posting import judged

from tests.platform.desk import API, Person
from tests.platform.posting import assert_books_agree, make_quota, order, posted, shown, token_for_all
from tests.platform.ruling import put_in_force, shipped, source

OWN_ACCOUNT, OWN_NAME = "4500-0012 3456 789", "示例机关(本级)"
HOLD = {"stage": "before", "disposal": "hold", "level": "red"}
FORBID = {"stage": "before", "disposal": "forbid", "level": "red"}


@pytest.fixture
def token(database) -> str:
    return token_for_all(database.owner)


@pytest.fixture
def books(database, token) -> Iterator[psycopg.Connection]:
    with shown(database.app, token) as cx:
        yield cx
        assert_books_agree(cx)


@pytest.fixture
def pay(database, token):
    def work(*orders):
        return asyncio.run(posted(database.app, token, orders))

    return work


@pytest.fixture
def supervisor(client, session) -> Person:
    return Person(client, session("payment.read", "monitor.read", "monitor.release", actor="supervisor"))


@pytest.fixture
def unit_account(books) -> None:
    books.execute(
        "INSERT INTO payment.own_account (division, agency_code, holder, account, made_by)"
        " VALUES ('450100', '101001', %s, %s, 'test') ON CONFLICT DO NOTHING",
        (OWN_NAME, OWN_ACCOUNT),
    )


def alerts(books: psycopg.Connection) -> list[tuple[object, ...]]:
    return books.execute(
        "SELECT subject, subject_id, rule, version, edition, shadow FROM monitor.alert ORDER BY id"
    ).fetchall()


def alerts_of(books: psycopg.Connection, *ids: int | None) -> list[tuple[object, ...]]:
    return [one for one in alerts(books) if one[1] in ids and one[0] == "payment"]


def held(books: psycopg.Connection, key: str) -> tuple[object, ...] | None:
    return books.execute(
        "SELECT state, rules, payment_id FROM payment.held WHERE idempotency_key = %s", (key,)
    ).fetchone()


def held_id(books: psycopg.Connection, key: str) -> int:
    row = books.execute("SELECT id FROM payment.held WHERE idempotency_key = %s", (key,)).fetchone()
    assert row
    return int(row[0])


def test_a_held_order_takes_no_number_and_no_quota_and_is_answered_the_same(database, books, pay) -> None:
    edition = put_in_force(database.owner, source("R901", "amount = 300", **HOLD))
    quota = make_quota(books, 1_000)
    orders = [order(quota, 200), order(quota, 300, "held-key-0001"), order(quota, 800), order(quota, 50)]
    first = pay(*orders)
    assert [one.outcome for one in first] == ["posted", "held", "posted", "refused"]
    assert (first[0].posting_no or 0) + 1 == first[2].posting_no
    assert first[1].rules == ("R901",)
    again = pay(orders[1], order(quota, 301, "held-key-0001"))
    assert (again[0].outcome, again[0].again, again[0].rules) == ("held", True, ("R901",))
    assert again[1].reason == "key_used"
    assert [
        one[2:5] for one in alerts(books) if one[0] == "held" and one[1] == held_id(books, "held-key-0001")
    ] == [("R901", 1, edition)]


def test_a_forbidden_order_is_refused_and_never_comes_through(database, books, pay, supervisor) -> None:
    put_in_force(
        database.owner,
        source("R902", "contains(purpose, '禁')", **FORBID),
        source("R903", "amount = 7", **HOLD),
    )
    quota = make_quota(books, 1_000)
    asked = order(quota, 7, "forbidden-0001", purpose="禁运物资")
    (decision,) = pay(asked)
    assert (decision.outcome, decision.reason, decision.rules) == ("refused", "forbidden", ("R902", "R903"))
    assert pay(asked)[0].reason == "forbidden"
    answer = supervisor.post(f"{API}/held/{held_id(books, 'forbidden-0001')}/release", {"reason": "想放行"})
    assert answer.status_code == 409


def test_during_rules_see_the_units_earlier_payments_those_of_the_batch_too(database, books, pay) -> None:
    rule = source("R904", "past_count(days(2), same(payee_account)) >= 2")
    edition = put_in_force(database.owner, rule)
    quota = make_quota(books, 10_000)
    account = "4500000000904001"
    ids = [one.payment_id for one in pay(*(order(quota, n, payee_account=account) for n in (1, 2, 3)))]
    ids += [pay(order(quota, 4, payee_account=account))[0].payment_id]
    assert [one[1:5] for one in alerts_of(books, *ids)] == [(n, "R904", 1, edition) for n in ids[2:]]
    kept = books.execute("SELECT DISTINCT rules FROM payment.payment WHERE id = ANY (%s)", (ids,)).fetchall()
    assert kept == [(edition,)]


def test_a_shadow_stops_nothing_and_alerts_apart(database, books, pay) -> None:
    put_in_force(database.owner, shadow=(source("R905", "amount = 11", **HOLD),))
    quota = make_quota(books, 1_000)
    (decision,) = pay(order(quota, 11))
    assert decision.outcome == "posted"
    assert [one[-1] for one in alerts_of(books, decision.payment_id)] == [True]


def test_a_quota_that_is_exceeded_is_told_under_its_rule(database, books, pay) -> None:
    put_in_force(database.owner, source("R914", "quota_exceeded", **FORBID))
    strict, warning = make_quota(books, 100), make_quota(books, 100, level=1)
    refused, warned = pay(order(strict, 101, "over-quota-01"), order(warning, 101))
    assert (refused.reason, refused.rules, warned.warned) == ("over_quota", ("R914",), True)
    assert pay(order(strict, 101, "over-quota-01"))[0].reason == "over_quota"
    assert held(books, "over-quota-01") == ("forbidden", ["R914"], None)
    assert [one[2] for one in alerts_of(books, warned.payment_id)] == ["R914"]


@pytest.mark.usefixtures("unit_account")
class TestNoDoor:
    """A transfer from a zero-balance account to the unit's own account."""

    ways = (
        {"payee_account": "4500-0012 3456 789"},
        {"payee_account": "45000012３４56789"},
        {"payee_account": "4500001234-56789"},
        {"payee_name": "示例机关(本级)"},
        {"payee_name": " 示例机关（本级） "},
        {"payee_name": "示 例 机 关【本级】"},
    )

    @pytest.fixture(autouse=True)
    def rule(self, database) -> None:
        put_in_force(database.owner, *shipped("R1"))

    def test_however_it_is_written_and_batched(self, books, pay) -> None:
        quota = make_quota(books, 10_000)
        for decision in (
            *pay(*(order(quota, 10, **way) for way in self.ways)),
            *pay(order(quota, 10, **self.ways[0])),
        ):
            assert (decision.outcome, decision.rules) == ("held", ("R1",))
        assert pay(order(quota, 10))[0].outcome == "posted"

    def test_over_the_api_and_by_documents(self, books, client, session) -> None:
        token = session("payment.post", "socket.push", divisions=("450100",))
        asker = Person(client, token)
        quota = make_quota(books, 1_000)
        document = {
            "idempotency_key": "no-door-api-01",
            "fiscal_year": 2010,
            "division": "450100",
            "agency_code": "101001",
            "quota_id": quota,
            "amount": 100,
            "pay_date": "2010-03-05",
            "payee_name": "另名",
            "payee_account": "45000012345-6789",
            "purpose": "往来款",
        }
        assert asker.post(f"{API}/orders", document).json()["outcome"] == "held"
        batch = [document | {"idempotency_key": f"no-door-api-{n}"} for n in "abc"]
        assert {one["outcome"] for one in asker.post(f"{API}/orders/batch", batch).json()} == {"held"}

    def test_undoing_a_payment_to_another_account_is_none(self, books, pay) -> None:
        quota = make_quota(books, 1_000)
        (paid,) = pay(order(quota, 500))
        for kind in ("refund", "correction"):
            trick = order(quota, -500, kind=kind, undoes=paid.payment_id, payee_account=OWN_ACCOUNT)
            assert pay(trick)[0].reason == "other_payee"

    def test_another_person_releases_it_with_a_reason(self, books, pay, supervisor, client, session) -> None:
        quota = make_quota(books, 1_000)
        pay(order(quota, 10, "release-me-001", payee_account=OWN_ACCOUNT, posted_by="asker"))
        number = held_id(books, "release-me-001")
        own = Person(client, session("payment.read", "monitor.release", actor="asker"))
        assert own.post(f"{API}/held/{number}/release", {"reason": "自己放行"}).status_code == 403
        reader = Person(client, session("payment.read", actor="reader"))
        assert reader.post(f"{API}/held/{number}/release", {"reason": "无权"}).status_code == 403
        assert supervisor.post(f"{API}/held/{number}/release", {"reason": " "}).status_code == 422
        answer = supervisor.post(f"{API}/held/{number}/release", {"reason": "代管资金归还,附批文"})
        assert answer.status_code == 200
        state = held(books, "release-me-001")
        assert state is not None
        assert state[0] == "released"
        row = books.execute("SELECT posted_by FROM payment.payment WHERE id = %s", (state[2],)).fetchone()
        assert row == ("asker",)
        assert pay(order(quota, 10, "release-me-001", payee_account=OWN_ACCOUNT, posted_by="asker"))[0].again
        # What was released is not flagged again by that rule.
        assert alerts_of(books, int(str(state[2]))) == []

    def test_a_rejected_one_is_never_paid(self, books, pay, supervisor) -> None:
        quota = make_quota(books, 1_000)
        asked = order(quota, 10, "reject-me-0001", payee_account=OWN_ACCOUNT)
        pay(asked)
        number = held_id(books, "reject-me-0001")
        assert supervisor.post(f"{API}/held/{number}/reject", {"reason": "无依据"}).status_code == 200
        assert (pay(asked)[0].outcome, pay(asked)[0].reason) == ("refused", "rejected")
        assert supervisor.post(f"{API}/held/{number}/release", {"reason": "再放行"}).status_code == 409


def test_a_release_answers_for_the_rules_that_held_not_for_others(database, books, pay, supervisor) -> None:
    one, other = source("R906", "amount >= 10", **HOLD), source("R907", "amount = 12", **HOLD)
    put_in_force(database.owner, one)
    quota = make_quota(books, 1_000)
    pay(order(quota, 12, "further-rule-1"))
    put_in_force(database.owner, one, other)
    number = held_id(books, "further-rule-1")
    supervisor.post(f"{API}/held/{number}/release", {"reason": "第一次"})
    assert held(books, "further-rule-1") == ("held", ["R906", "R907"], None)
    supervisor.post(f"{API}/held/{number}/release", {"reason": "第二次"})
    state = held(books, "further-rule-1")
    assert state is not None
    assert state[0] == "released"


def test_each_payment_is_judged_by_one_edition_while_rules_change(database, books, token) -> None:
    """Payers post while somebody publishes: of each payment its edition's version of the rule spoke."""
    rule = [source("R908", f"amount >= {100 + n}") for n in range(6)]
    put_in_force(database.owner, rule[0])
    quotas = [make_quota(books, 10**9, agency=f"10{n}001") for n in range(3)]
    done = threading.Event()
    ids: list[int] = []

    def payer(quota: int, agency: str) -> None:
        while not done.is_set():
            batch = [order(quota, 100 + n, agency_code=agency) for n in range(6)]
            ids.extend(one.payment_id or 0 for one in asyncio.run(posted(database.app, token, batch)))

    payers = [threading.Thread(target=payer, args=(q, f"10{n}001")) for n, q in enumerate(quotas)]
    for one in payers:
        one.start()
    versions = {}
    for text in rule[1:] * 3:
        edition = put_in_force(database.owner, text)
        versions[edition] = text
        done.wait(0.1)
    done.set()
    for one in payers:
        one.join()
    wrong = books.execute(
        """
        SELECT p.id, p.rules, p.amount, a.version, a.edition
          FROM payment.payment AS p
          JOIN monitor.edition_rule AS r ON r.edition = p.rules AND r.rule = 'R908'
          JOIN monitor.rule_version AS v USING (rule, version)
          LEFT JOIN monitor.alert AS a ON (a.subject, a.subject_id, a.rule) = ('payment', p.id, 'R908')
         WHERE p.id = ANY (%s)
           AND ((a.id IS NOT NULL) <> (p.amount >= substring(v.source FROM 'amount >= ([0-9]+)')::bigint)
                OR a.edition <> p.rules OR a.version <> r.version)
        """,
        (ids,),
    ).fetchall()
    assert wrong == []
    seen = books.execute(
        "SELECT count(DISTINCT rules) FROM payment.payment WHERE id = ANY (%s)", (ids,)
    ).fetchone()
    assert seen is not None
    assert seen[0] > 1


def test_a_rule_that_takes_too_long_does_not_stop_payments(database, books, pay, monkeypatch) -> None:
    put_in_force(database.owner, source("R909", "past_count(this_year(), amount > 0) >= 0"))
    monkeypatch.setattr(judged, "TELL_MILLISECONDS", 0)
    monkeypatch.setattr(judged, "REST_SECONDS", 60.0)
    quota = make_quota(books, 10**9, agency="909001")
    books.execute("SET jit = off")
    many = [order(quota, 1, agency_code="909001") for _ in range(3_000)]
    decisions = pay(*many)
    assert {one.outcome for one in decisions} == {"posted"}
    row = books.execute("SELECT why, cardinality(ids) FROM monitor.unjudged ORDER BY id DESC").fetchone()
    assert row is not None
    assert row[1] == 3_000
    # The next ones do not wait for it at all.
    pay(order(quota, 1, agency_code="909001"))
    row = books.execute("SELECT why, cardinality(ids) FROM monitor.unjudged ORDER BY id DESC").fetchone()
    assert row == ("rules rest after one took too long", 1)


def test_an_edition_that_cannot_be_compiled_holds_payments_only_until_it_is_mended(
    database, books, client, session
) -> None:
    """Nothing is paid unjudged; and when a sound edition is in force, the same process pays on."""
    asker = Person(client, session("payment.post", divisions=("450100",)))
    quota = make_quota(books, 1_000)
    document = {
        "fiscal_year": 2010,
        "division": "450100",
        "agency_code": "101001",
        "quota_id": quota,
        "amount": 100,
        "pay_date": "2010-03-05",
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "purpose": "办公用品采购",
        "idempotency_key": "unsound-rules-1",
    }
    put_in_force(database.owner, source("R915", "amount > no_such_thing"))
    refused = asker.post(f"{API}/orders", document)
    assert refused.status_code == 503
    assert "R915" in refused.json()["detail"]
    put_in_force(database.owner, source("R915", "amount > 100"))
    assert asker.post(f"{API}/orders", document).json()["outcome"] == "posted"
