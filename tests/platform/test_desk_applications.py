"""支付申请: three people, one payment; what is refused stays where it is, and says why."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.platform.desk import (
    API,
    YEAR,
    Person,
    application,
    make_indicator,
    reviewed,
    step,
    submitted,
    written,
)
from tests.platform.desk_fixtures import books, reviewer, signer, unit
from tests.platform.posting import make_quota

__all__ = ["books", "reviewer", "signer", "unit"]


def state(person: Person, number: int) -> dict[str, object]:
    answer = person.get(f"{API}/applications/{number}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_from_a_draft_to_a_payment_by_three_people(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    number = reviewed(unit, reviewer, quota)
    answer = step(signer, "sign", number)
    (outcome,) = answer.json()
    assert (answer.status_code, outcome["signed"], outcome["text"]) == (200, True, "")
    found = state(unit, number)
    assert (found["state"], found["payment_id"]) == ("signed", outcome["payment_id"])
    assert [(one["action"], one["by_whom"]) for one in found["steps"]] == [
        ("made", "unit"),
        ("submitted", "unit"),
        ("reviewed", "reviewer"),
        ("signed", "signer"),
    ]
    payment = books.execute(
        "SELECT amount, payee_name, purpose, posted_by, idempotency_key FROM payment.payment WHERE id = %s",
        (outcome["payment_id"],),
    ).fetchone()
    assert payment == (4_000, "示例文具店", "办公用品采购", "signer", f"application-{number}-1")
    assert step(signer, "sign", number).json() == [outcome | {"again": True}]
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (4_000,)


def test_many_are_signed_in_one_batch_each_with_its_answer(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    ids = [reviewed(unit, reviewer, quota) for _ in range(3)]
    answers = step(signer, "sign", *ids).json()
    assert [(one["id"], one["signed"], one["reason"]) for one in answers] == [
        (ids[0], True, ""),
        (ids[1], True, ""),
        (ids[2], False, "over_quota"),
    ]
    assert "额度不足" in answers[2]["text"]
    found = state(unit, ids[2])
    assert (found["state"], found["steps"][-1]["action"], found["steps"][-1]["reason"]) == (
        "reviewed",
        "refused",
        "over_quota",
    )


def test_what_was_refused_is_signed_once_there_is_quota(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 1_000)
    number = reviewed(unit, reviewer, quota)
    assert step(signer, "sign", number).json()[0]["reason"] == "over_quota"
    books.execute("UPDATE payment.quota SET granted = 5000 WHERE id = %s", (quota,))
    assert step(signer, "sign", number).json()[0]["signed"] is True


def test_returned_edited_and_submitted_again(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 1_000)
    number = reviewed(unit, reviewer, quota)
    step(signer, "sign", number)
    assert step(signer, "return", number).status_code == 422
    assert step(signer, "return", number, reason="金额超过额度").json()[0]["state"] == "returned"
    content = {
        name: value for name, value in application(quota, amount=900).items() if name != "idempotency_key"
    }
    edited = unit.put(f"{API}/applications/{number}", content)
    assert (edited.status_code, edited.json()["amount"], edited.json()["state"]) == (200, 900, "returned")
    assert unit.put(f"{API}/applications/{number}", content).json() == edited.json()
    assert step(unit, "submit", number).status_code == 200
    assert unit.put(f"{API}/applications/{number}", content | {"amount": 1}).status_code == 409
    assert step(reviewer, "review", number).status_code == 200
    assert step(signer, "sign", number).json()[0]["signed"] is True
    actions = [one["action"] for one in state(unit, number)["steps"]]
    assert actions == [
        "made", "submitted", "reviewed", "refused", "returned", "edited", "submitted", "reviewed", "signed",
    ]  # fmt: skip


def test_each_returns_what_waits_for_them(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    number = written(unit, quota)
    step(unit, "submit", number)
    assert step(signer, "return", number, reason="不是我的").status_code == 403
    assert step(unit, "return", number, reason="撤回").status_code == 403
    assert step(reviewer, "return", number, reason="用途不清").status_code == 200
    assert step(reviewer, "return", number, reason="用途不清").status_code == 200
    assert step(signer, "return", number, reason="用途不清").status_code == 409


def test_void_is_final_and_only_before_the_signature(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    number = reviewed(unit, reviewer, quota)
    assert step(unit, "void", number, reason="重复申请").json()[0]["state"] == "void"
    assert step(signer, "sign", number).status_code == 409
    signed = reviewed(unit, reviewer, quota)
    step(signer, "sign", signed)
    assert step(unit, "void", signed, reason="太迟").status_code == 409
    with pytest.raises(psycopg.Error) as caught:
        books.execute("UPDATE payment.application SET state = 'void' WHERE id = %s", (signed,))
    assert caught.value.sqlstate == "JC002"


def test_no_step_is_left_out(books, unit, reviewer, signer) -> None:
    number = written(unit, make_quota(books, 10_000))
    assert step(reviewer, "review", number).status_code == 409
    assert step(signer, "sign", number).status_code == 409
    step(unit, "submit", number)
    answer = step(signer, "sign", number)
    assert (answer.status_code, "已送审" in answer.json()["detail"]) == (409, True)
    with pytest.raises(psycopg.Error) as caught:
        books.execute("UPDATE payment.application SET amount = 1 WHERE id = %s", (number,))
    assert caught.value.sqlstate == "JC002"


def test_three_people(books, unit, client, session) -> None:
    everything = ("payment.read", "payment.submit", "payment.review", "payment.post")
    one, two = (Person(client, session(*everything, actor=name)) for name in ("one", "two"))
    quota = make_quota(books, 10_000)
    number = written(one, quota)
    step(unit, "submit", number)
    # The unit's clerk answers for it, but it was written by another, who may not check it either.
    assert step(one, "review", number).status_code == 403
    assert step(two, "review", number).status_code == 200
    assert step(two, "sign", number).status_code == 403
    assert step(one, "sign", number).status_code == 403
    for column, who in (("signed_by", "two"), ("signed_by", "unit"), ("reviewed_by", "unit")):
        query = psycopg.sql.SQL("UPDATE payment.application SET {} = %s WHERE id = %s")
        with pytest.raises(psycopg.errors.CheckViolation):
            books.execute(query.format(psycopg.sql.Identifier(column)), (who, number))


def test_two_signers_at_once_post_once(books, unit, reviewer, client, session) -> None:
    quota = make_quota(books, 100_000)
    ids = [reviewed(unit, reviewer, quota) for _ in range(4)]
    signers = [
        Person(client, session("payment.post", divisions=["450100"], actor=f"signer-{n}")) for n in range(6)
    ]
    lists = [ids if n % 2 else ids[::-1] for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: step(signers[n], "sign", *lists[n]), range(6)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409, 409]
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (16_000,)
    posted = books.execute("SELECT count(*) FROM payment.payment WHERE quota_id = %s", (quota,)).fetchone()
    assert posted == (4,)


def test_one_signer_twice_at_once_posts_once(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 100_000)
    number = reviewed(unit, reviewer, quota)
    with ThreadPoolExecutor(4) as pool:
        answers = [one.json()[0] for one in pool.map(lambda _: step(signer, "sign", number), range(4))]
    assert {one["payment_id"] for one in answers} == {state(unit, number)["payment_id"]}
    assert [one["again"] for one in answers].count(False) == 1


def test_signing_and_approving_plans_never_wait_for_each_other(books, unit, reviewer, signer) -> None:
    indicators = [make_indicator(books) for _ in range(4)]
    ways = ("direct", "authorised")
    # Quotas made in another order than their indicators.
    for indicator in reversed(indicators):
        ids = [submitted(unit, indicator, 90_000, pay_type=way) for way in ways]
        assert reviewer.post(f"{API}/plans/approve", {"ids": ids}).status_code == 200
    quotas = [
        row[0]
        for row in books.execute(
            "SELECT id FROM payment.quota WHERE indicator_id = ANY (%s) ORDER BY id", (indicators,)
        )
    ]
    signs = [[reviewed(unit, reviewer, quota) for quota in quotas] for _ in range(10)]
    plans = [[submitted(unit, indicator, 100, pay_type=way) for indicator in indicators for way in ways]
             for _ in range(10)]  # fmt: skip
    with ThreadPoolExecutor(20) as pool:
        asked = []
        for to_sign, to_approve in zip(signs, plans, strict=True):
            asked.append(pool.submit(step, signer, "sign", *to_sign))
            asked.append(pool.submit(reviewer.post, f"{API}/plans/approve", {"ids": to_approve}))
        assert {one.result().status_code for one in asked} == {200}


def test_a_refund_undoes_its_payment(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    (paid,) = step(signer, "sign", reviewed(unit, reviewer, quota)).json()
    too_much = application(quota, kind="refund", amount=-4_001, undoes=paid["payment_id"])
    wrong = unit.post(f"{API}/applications", too_much)
    assert (wrong.status_code, "超过原支付" in wrong.json()["detail"]) == (409, True)
    refund = reviewed(unit, reviewer, quota, kind="refund", amount=-4_000, undoes=paid["payment_id"])
    assert step(signer, "sign", refund).json()[0]["signed"] is True
    assert books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone() == (0,)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"pay_date": "2011-01-01"}, 422), ({"kind": "refund"}, 422), ({"undoes": 1}, 422), ({"amount": 0}, 422),
     ({"amount": -1}, 422), ({"kind": "refund", "amount": -1, "undoes": 10**12}, 409),
     ({"quota_id": 10**12}, 409), ({"kind": "bank_return"}, 422), ({"purpose": ""}, 422),
     ({"payee_account": "甲乙丙丁"}, 422), ({"unknown": 1}, 422), ({"purpose": "a\u0000b"}, 422),
     ({"amount": 10**16}, 422)],
)  # fmt: skip
def test_wrong_input_is_refused(books, unit, wrong, status) -> None:
    asked = application(make_quota(books, 10_000), **wrong)
    assert unit.post(f"{API}/applications", asked).status_code == status


def test_a_key_names_one_application(books, unit) -> None:
    asked = application(make_quota(books, 10_000))
    first, again = (unit.post(f"{API}/applications", asked) for _ in range(2))
    assert first.json() == again.json()
    assert len(state(unit, first.json()["id"])["steps"]) == 1
    assert unit.post(f"{API}/applications", asked | {"amount": 1}).status_code == 409


def test_scope_and_permissions(books, unit, reviewer, client, session) -> None:
    number = written(unit, make_quota(books, 10_000))
    neighbour = Person(
        client,
        session("payment.read", "payment.submit", divisions=["450100"], agencies=["205001"], actor="n"),
    )
    far = Person(
        client, session("payment.read", "payment.review", "payment.post", divisions=["450200"], actor="f")
    )
    for person in (neighbour, far):
        assert person.get(f"{API}/applications/{number}").status_code == 404
        listed = person.get(f"{API}/applications", fiscal_year=YEAR, division="450100").json()
        assert listed["total"] == 0
    assert step(neighbour, "submit", number).status_code == 404
    assert step(far, "review", number).status_code == 404
    assert step(far, "sign", number).status_code == 404
    assert step(unit, "review", number).status_code == 403
    assert step(reviewer, "submit", number).status_code == 403
    assert reviewer.post(f"{API}/applications", application(1)).status_code == 403


def test_applications_are_listed_by_what_is_asked(books, unit) -> None:
    quota = make_quota(books, 10_000)
    first, second = written(unit, quota, payee_name="甲厂"), written(unit, quota, pay_date="2010-04-01")
    asked = {"fiscal_year": YEAR, "division": "450100", "quota_id": quota}

    def ids(**more: object) -> list[int]:
        return [one["id"] for one in unit.get(f"{API}/applications", **asked, **more).json()["items"]]

    assert ids() == [second, first]
    assert ids(payee="甲") == [first]
    assert ids(pay_from="2010-04-01") == [second]
    assert ids(state="signed") == []


def test_the_trail_is_never_changed(books, unit) -> None:
    number = written(unit, make_quota(books, 10_000))
    for query in ("UPDATE payment.application_step SET reason = 'x'", "DELETE FROM payment.application_step"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.execute(query)
    assert len(state(unit, number)["steps"]) == 1


def test_not_even_the_owner_changes_the_trail(database) -> None:
    for query in ("UPDATE payment.application_step SET reason = 'x'", "DELETE FROM payment.application_step"):
        with psycopg.connect(database.owner) as cx, pytest.raises(psycopg.Error) as caught:
            cx.execute(query)
        assert caught.value.sqlstate == "JC002"


def test_a_closed_period_posts_nothing(books, unit, reviewer, signer) -> None:
    books.execute(
        "INSERT INTO ledger.period (fiscal_year, division, period, closed_by, closed_at)"
        " VALUES (2010, '450100', 11, 'test', now())"
    )
    number = reviewed(unit, reviewer, make_quota(books, 10_000), pay_date="2010-11-06")
    answer = step(signer, "sign", number)
    assert (answer.status_code, "已结账" in answer.json()["detail"]) == (409, True)
    assert state(unit, number)["state"] == "reviewed"


# The last one, since it changes the codes in force.
def test_codes_are_those_of_the_years_edition(database, books, unit) -> None:
    quota = make_quota(books, 10_000)
    wrong = unit.post(f"{API}/applications", application(quota, set_mode_code="77"))
    assert (wrong.status_code, "没有代码 77" in wrong.json()["detail"]) == (422, True)
    with psycopg.connect(database.owner) as cx:
        cx.execute("INSERT INTO standards.edition (fiscal_year, number, made_by) VALUES (2010, 90, 'a')")
        cx.execute(
            "INSERT INTO standards.code (fiscal_year, edition, element, code, name)"
            " VALUES (2010, 90, 'set_mode', '1', '转账'), (2010, 90, 'set_mode', '77', '其他')"
        )
        cx.execute(
            "UPDATE standards.edition SET state = 'published', published_by = 'b', published_at = now()"
            " WHERE (fiscal_year, number) = (2010, 90)"
        )
    # This edition has the code, and no kinds of payee at all.
    asked = application(quota, set_mode_code="77", payee_kind_code="88")
    assert unit.post(f"{API}/applications", asked).status_code == 201
