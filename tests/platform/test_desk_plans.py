"""用款计划: submitted, approved into quota, never beyond a strict indicator."""

import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.platform.desk import API, YEAR, Person, key, make_indicator, plan, submitted
from tests.platform.desk_fixtures import books, reviewer, unit

__all__ = ["books", "reviewer", "unit"]


def quota(books: psycopg.Connection, indicator: int, pay_type: str = "direct") -> tuple[int, ...] | None:
    return books.execute(
        "SELECT granted, used, control_level FROM payment.quota WHERE indicator_id = %s AND pay_type = %s",
        (indicator, pay_type),
    ).fetchone()


def sums(books: psycopg.Connection, indicator: int) -> tuple[int, int, int]:
    """What the indicator has planned, what its quotas were granted, what was approved."""
    row = books.execute(
        """
        SELECT i.planned,
               (SELECT coalesce(sum(granted), 0) FROM payment.quota WHERE indicator_id = i.id),
               (SELECT coalesce(sum(amount), 0) FROM payment.plan
                 WHERE indicator_id = i.id AND state = 'approved')
          FROM budget.indicator AS i WHERE i.id = %s
        """,
        (indicator,),
    ).fetchone()
    assert row
    return row


def test_an_approved_plan_becomes_quota_and_others_are_told(books, unit, reviewer) -> None:
    indicator = make_indicator(books, 500_000)
    ids = [submitted(unit, indicator, 200_000), submitted(unit, indicator, 300_000)]
    answer = reviewer.post(f"{API}/plans/approve", {"ids": ids})
    assert answer.status_code == 200, answer.text
    assert [(one["state"], one["checked_by"]) for one in answer.json()] == [("approved", "reviewer")] * 2
    assert quota(books, indicator) == (500_000, 0, 2)
    assert books.execute("SELECT planned FROM budget.indicator WHERE id = %s", (indicator,)).fetchone() == (
        500_000,
    )
    told = books.execute(
        "SELECT payload->>'amount', payload->>'granted' FROM hub.outbox"
        " WHERE kind = 'quota' AND (payload->>'indicator_id')::bigint = %s ORDER BY id",
        (indicator,),
    ).fetchall()
    assert told == [("200000", "500000"), ("300000", "500000")]
    again = reviewer.post(f"{API}/plans/approve", {"ids": ids})
    assert again.json() == answer.json()
    assert quota(books, indicator) == (500_000, 0, 2)


def test_a_quota_carries_the_indicators_codes_and_control(books, unit, reviewer) -> None:
    indicator = make_indicator(books, 1, level=1)
    plan_id = submitted(unit, indicator, 70, pay_type="authorised")
    assert reviewer.post(f"{API}/plans/approve", {"ids": [plan_id]}).status_code == 200
    found = reviewer.get(f"{API}/quotas", fiscal_year=YEAR, division="450100", indicator_id=indicator).json()
    (one,) = found["items"]
    wanted = ("101001", "2010301", "30201", 1, 70, 70)
    fields = ("agency_code", "exp_func_code", "dep_exp_eco_code", "control_level", "granted", "available")
    assert tuple(one[field] for field in fields) == wanted


def test_one_that_does_not_fit_keeps_the_whole_list_from_being_approved(books, unit, reviewer) -> None:
    indicator = make_indicator(books, 100)
    ids = [submitted(unit, indicator, 60), submitted(unit, indicator, 60)]
    answer = reviewer.post(f"{API}/plans/approve", {"ids": ids})
    assert answer.status_code == 409
    assert re.search(r"指标 desk-\d+ 余额不足", answer.json()["detail"])
    assert quota(books, indicator) is None
    assert reviewer.get(f"{API}/plans/{ids[0]}").json()["state"] == "submitted"


def test_more_than_is_left_is_refused_at_once(books, unit) -> None:
    answer = unit.post(f"{API}/plans", plan(make_indicator(books, 100), 101))
    assert (answer.status_code, "可用 1.00 元" in answer.json()["detail"]) == (409, True)


def test_an_indicator_that_is_not_there(unit) -> None:
    answer = unit.post(f"{API}/plans", plan(10**15))
    assert (answer.status_code, "没有指标" in answer.json()["detail"]) == (409, True)


def test_a_key_names_one_plan(books, unit) -> None:
    asked = plan(make_indicator(books))
    first, again = unit.post(f"{API}/plans", asked), unit.post(f"{API}/plans", asked)
    assert first.json() == again.json()
    assert unit.post(f"{API}/plans", asked | {"amount": 7}).status_code == 409


def test_a_refused_plan_says_why_and_is_final(books, unit, reviewer) -> None:
    plan_id = submitted(unit, make_indicator(books))
    assert reviewer.post(f"{API}/plans/refuse", {"ids": [plan_id], "reason": " "}).status_code == 422
    refused = reviewer.post(f"{API}/plans/refuse", {"ids": [plan_id], "reason": "进度过快"})
    assert (refused.json()[0]["state"], refused.json()[0]["reason"]) == ("refused", "进度过快")
    assert reviewer.post(f"{API}/plans/approve", {"ids": [plan_id]}).status_code == 409
    assert unit.post(f"{API}/plans/withdraw", {"ids": [plan_id]}).status_code == 409
    with pytest.raises(psycopg.Error, match="submit another") as caught:
        books.execute("UPDATE payment.plan SET state = 'submitted' WHERE id = %s", (plan_id,))
    assert caught.value.sqlstate == "JC002"


def test_only_its_maker_withdraws_a_plan(books, unit, client, session) -> None:
    plan_id = submitted(unit, make_indicator(books))
    other = Person(client, session("payment.submit", divisions=["450100"], actor="other"))
    assert other.post(f"{API}/plans/withdraw", {"ids": [plan_id]}).status_code == 403
    assert unit.post(f"{API}/plans/withdraw", {"ids": [plan_id]}).json()[0]["state"] == "withdrawn"
    assert unit.post(f"{API}/plans/withdraw", {"ids": [plan_id]}).status_code == 200


def test_nobody_approves_their_own(books, client, session) -> None:
    both = Person(client, session("payment.submit", "payment.review", actor="both"))
    plan_id = submitted(both, make_indicator(books))
    answer = both.post(f"{API}/plans/approve", {"ids": [plan_id]})
    assert (answer.status_code, "须由他人审批" in answer.json()["detail"]) == (403, True)
    with pytest.raises(psycopg.errors.CheckViolation):
        books.execute(
            "UPDATE payment.plan SET state = 'approved', checked_by = 'both', settled_at = now()"
            " WHERE id = %s",
            (plan_id,),
        )


def test_permissions_and_scope(books, unit, reviewer, client, session) -> None:
    indicator = make_indicator(books)
    plan_id = submitted(unit, indicator)
    assert unit.post(f"{API}/plans/approve", {"ids": [plan_id]}).status_code == 403
    assert reviewer.post(f"{API}/plans", plan(indicator)).status_code == 403
    elsewhere = Person(client, session("payment.read", "payment.review", divisions=["450200"], actor="far"))
    assert elsewhere.get(f"{API}/plans/{plan_id}").status_code == 404
    assert elsewhere.post(f"{API}/plans/approve", {"ids": [plan_id]}).status_code == 404
    assert elsewhere.get(f"{API}/plans", fiscal_year=YEAR, division="450100").json()["total"] == 0
    neighbour = Person(
        client,
        session("payment.read", "payment.submit", divisions=["450100"], agencies=["205001"], actor="n"),
    )
    assert neighbour.get(f"{API}/plans/{plan_id}").status_code == 404
    assert neighbour.post(f"{API}/plans", plan(indicator)).status_code == 409


def test_plans_are_listed_by_what_is_asked(books, unit) -> None:
    indicator = make_indicator(books)
    ids = [submitted(unit, indicator, 100, month=month) for month in (1, 2)]
    asked = {"fiscal_year": YEAR, "division": "450100", "indicator_id": indicator}
    assert [one["id"] for one in unit.get(f"{API}/plans", **asked).json()["items"]] == ids[::-1]
    assert [one["id"] for one in unit.get(f"{API}/plans", **asked, month=2).json()["items"]] == ids[1:]
    assert unit.get(f"{API}/plans", **asked, state="approved").json()["total"] == 0
    assert unit.get(f"{API}/plans", **asked, colour="red").status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [{"month": 13}, {"month": 0}, {"amount": 0}, {"amount": -1}, {"amount": 10**16}, {"pay_type": "cash"},
     {"purpose": "a\u0000b"}, {"unknown": 1}, {"idempotency_key": "short"}],
)  # fmt: skip
def test_wrong_input_is_refused(unit, wrong) -> None:
    assert unit.post(f"{API}/plans", plan(1, **{"amount": 1, **wrong})).status_code == 422


def test_many_approving_at_once_never_exceed_the_indicator(books, unit, client, session) -> None:
    indicators = [make_indicator(books, 500) for _ in range(3)]
    ids = [submitted(unit, indicators[n % 3], 100) for n in range(24)]
    people = [
        Person(client, session("payment.review", divisions=["450100"], actor=f"reviewer-{n}"))
        for n in range(6)
    ]
    # Lists that overlap and run against each other's order.
    lists = [(ids[n : n + 6] if n % 2 else ids[n : n + 6][::-1]) for n in range(19)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda asked: people[asked[0] % 6].post(f"{API}/plans/approve", {"ids": asked[1]}),
                enumerate(lists),
            )
        )
    assert {one.status_code for one in answers} <= {200, 409}
    assert any(one.status_code == 200 for one in answers)
    for indicator in indicators:
        planned, granted, approved = sums(books, indicator)
        assert planned == granted == approved <= 500


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=st.integers(1, 1_000),
    asked=st.lists(st.tuples(st.integers(1, 700), st.sampled_from(["direct", "authorised"])), max_size=8),
    data=st.data(),
)
def test_whatever_is_approved_fits_a_strict_indicator(books, unit, reviewer, *, amount, asked, data) -> None:
    indicator = make_indicator(books, amount)
    ids = [
        answer.json()["id"]
        for wanted, pay_type in asked
        if (
            answer := unit.post(
                f"{API}/plans", plan(indicator, wanted, pay_type=pay_type, idempotency_key=key())
            )
        ).status_code
        == 201
    ]
    while ids:
        chosen = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
        reviewer.post(f"{API}/plans/approve", {"ids": chosen})
        ids = [one for one in ids if one not in chosen]
    planned, granted, approved = sums(books, indicator)
    assert planned == granted == approved <= amount
