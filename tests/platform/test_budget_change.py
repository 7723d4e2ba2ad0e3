"""指标变更: what it takes is reserved at once and happens once, decided by another person."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.platform.budgeting import YEAR, Office, line, new_key, publish
from tests.platform.posting import shown, token_for_all


@pytest.fixture(scope="module", autouse=True)
def _edition(database) -> None:
    publish(database.owner, YEAR, YEAR + 1)


@pytest.fixture
def office(client, session) -> Office:
    return Office(client, session)


@pytest.fixture
def two(office: Office) -> tuple[int, int]:
    """Two indicators of one unit, of 1,000 and 500 yuan."""
    made = office.approved(line(1_000_00), line(500_00, dep_exp_eco_code="30211"))
    return made[0]["indicator"]["id"], made[1]["indicator"]["id"]


def figures(office: Office, number: int) -> tuple[int, int]:
    """Amount and what is reserved of it, in fen."""
    found = office.get("maker", f"/indicators/{number}")["indicator"]
    return found["amount"], found["reserved"]


def plan(database, number: int, amount: int) -> None:
    """What a monthly plan takes."""
    with shown(database.app, token_for_all(database.owner)) as cx:
        cx.execute("SELECT budget.release(%s, %s)", (number, amount))


def test_an_adjustment_reserves_then_moves(office: Office, two) -> None:
    source, target = two
    asked = office.ask("maker", kind="adjustment", source_id=source, target_id=target, amount=300_00).json()
    assert (figures(office, source), figures(office, target)) == ((1_000_00, 300_00), (500_00, 0))
    decided = office.post("checker", f"/change-requests/{asked['id']}/approve")
    assert (decided.json()["state"], decided.json()["checked_by"]) == ("approved", "checker")
    assert (figures(office, source), figures(office, target)) == ((700_00, 0), (800_00, 0))
    changes = [office.get("maker", f"/indicators/{one}")["changes"][-1] for one in two]
    assert [one["amount"] for one in changes] == [-300_00, 300_00]
    assert {one["request_id"] for one in changes} == {asked["id"]}
    assert {(one["kind"], one["made_by"], one["checked_by"]) for one in changes} == {
        ("adjustment", "maker", "checker")
    }


def test_refused_frees_what_was_reserved(office: Office, two) -> None:
    asked = office.ask("maker", kind="reduction", source_id=two[0], amount=1_000_00).json()
    assert figures(office, two[0]) == (1_000_00, 1_000_00)
    assert office.post("checker", f"/change-requests/{asked['id']}/refuse").status_code == 422
    refused = office.post("checker", f"/change-requests/{asked['id']}/refuse", reason="依据不足").json()
    assert (refused["state"], refused["check_reason"]) == ("refused", "依据不足")
    assert figures(office, two[0]) == (1_000_00, 0)
    assert len(office.get("maker", f"/indicators/{two[0]}")["changes"]) == 1


def test_addition_and_reduction(office: Office, two) -> None:
    for kind, side, amount in (("addition", "target_id", 1_00), ("reduction", "source_id", 3_00)):
        asked = office.ask("maker", kind=kind, amount=amount, **{side: two[0]}).json()
        office.post("checker", f"/change-requests/{asked['id']}/approve")
    assert figures(office, two[0]) == (998_00, 0)


def test_what_plans_and_requests_have_taken_is_not_free(office: Office, two, database) -> None:
    source, target = two
    plan(database, source, 600_00)
    office.ask("maker", kind="adjustment", source_id=source, target_id=target, amount=300_00)
    refused = office.ask("maker", kind="reduction", source_id=source, amount=100_01)
    assert refused.status_code == 409
    assert "可用 100.00 元" in refused.json()["detail"]
    with pytest.raises(psycopg.Error, match="too much"):
        plan(database, source, 100_01)
    assert office.ask("maker", kind="reduction", source_id=source, amount=100_00).status_code == 200


def test_what_is_left_is_carried_into_a_new_indicator_of_the_next_year(office: Office, two, database) -> None:
    plan(database, two[0], 400_00)
    asked = office.ask("maker", kind="carry_over", source_id=two[0]).json()
    assert (asked["amount"], asked["target_id"]) == (600_00, None)
    decided = office.post("checker", f"/change-requests/{asked['id']}/approve").json()
    assert figures(office, two[0]) == (400_00, 0)
    following = office.indicators(YEAR + 1)
    assert [one["indicator"]["id"] for one in following] == [decided["target_id"]]
    indicator = following[0]["indicator"]
    assert (indicator["indicator_no"], indicator["amount"]) == (f"{YEAR + 1}-{office.agency}-0001", 600_00)
    assert [(one["kind"], one["amount"]) for one in following[0]["changes"]] == [("carry_over", 600_00)]
    # Into the one that is there now.
    more = office.ask("maker", kind="carry_over", source_id=two[1], target_id=indicator["id"]).json()
    office.post("checker", f"/change-requests/{more['id']}/approve")
    assert figures(office, indicator["id"]) == (1_100_00, 0)
    nothing = office.ask("maker", kind="carry_over", source_id=two[1])
    assert nothing.status_code == 409


def test_a_next_year_without_standards_takes_no_rest(client, session, database) -> None:
    publish(database.owner, 2050)
    office = Office(client, session, year=2050)
    source = office.approved(line(100))[0]["indicator"]["id"]
    asked = office.ask("maker", kind="carry_over", source_id=source).json()
    refused = office.post("checker", f"/change-requests/{asked['id']}/approve")
    assert refused.status_code == 422
    assert "2051" in refused.json()["detail"]
    assert figures(office, source) == (100, 100)


def test_the_key_settles_a_repetition(office: Office, two) -> None:
    asked = {"idempotency_key": new_key(), "kind": "reduction", "source_id": two[0], "amount": 100}
    first = office.ask("maker", **asked).json()
    assert office.ask("maker", **asked).json() == first
    assert figures(office, two[0])[1] == 100
    assert office.ask("maker", **{**asked, "amount": 101}).status_code == 409
    assert office.ask("maker:other", **asked).status_code == 409


def test_decided_once(office: Office, two) -> None:
    asked = office.ask("maker", kind="reduction", source_id=two[0], amount=100).json()
    path = f"/change-requests/{asked['id']}"
    assert office.post("maker", f"{path}/approve").status_code == 403
    first = office.post("checker", f"{path}/approve").json()
    assert office.post("checker", f"{path}/approve").json() == first
    assert office.post("checker:other", f"{path}/approve").status_code == 409
    assert office.post("checker", f"{path}/refuse", reason="反悔").status_code == 409
    assert figures(office, two[0]) == (999_00, 0)


def test_nobody_decides_their_own_request(office: Office, two, session) -> None:
    office.tokens["maker"] = session("budget.read", "budget.draft", "budget.approve", actor="maker")
    asked = office.ask("maker", kind="reduction", source_id=two[0], amount=100).json()
    for way in ("approve", "refuse"):
        refused = office.post("maker", f"/change-requests/{asked['id']}/{way}", reason="自批")
        assert refused.status_code == 403
        assert "maker" in refused.json()["detail"]


def test_units_do_not_mix(office: Office, two, client, session) -> None:
    other = Office(client, session).approved(line(100))[0]["indicator"]["id"]
    refused = office.ask("maker", kind="adjustment", source_id=two[0], target_id=other, amount=1)
    assert refused.status_code == 422
    late = office.ask("maker", kind="carry_over", source_id=two[0], target_id=two[1], amount=1)
    assert late.status_code == 422
    assert str(YEAR + 1) in late.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "addition", "source_id": 1, "amount": 1},
        {"kind": "addition", "amount": 1},
        {"kind": "reduction", "source_id": 1, "target_id": 2, "amount": 1},
        {"kind": "adjustment", "source_id": 1, "target_id": 1, "amount": 1},
        {"kind": "adjustment", "source_id": 1, "target_id": 2},
        {"kind": "reduction", "source_id": 1, "amount": 0},
        {"kind": "reduction", "source_id": 1, "amount": 1, "reason": ""},
        {"kind": "reduction", "source_id": 1, "amount": 1, "idempotency_key": "short"},
        {"kind": "approval", "source_id": 1, "amount": 1},
    ],
)
def test_wrong_requests_are_refused(office: Office, wrong) -> None:
    assert office.ask("maker", **wrong).status_code == 422


def test_opposite_moves_at_once_wait_for_each_other_in_one_order(office: Office, two) -> None:
    def move(n: int) -> int:
        source, target = two if n % 2 else (two[1], two[0])
        asked = office.ask("maker", kind="adjustment", source_id=source, target_id=target, amount=1_00).json()
        return office.post("checker", f"/change-requests/{asked['id']}/approve").status_code

    office.headers("maker"), office.headers("checker")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(move, range(40))) == {200}
    assert (figures(office, two[0]), figures(office, two[1])) == ((1_000_00, 0), (500_00, 0))


def test_a_rest_is_asked_for_once_by_many_at_once(office: Office, two) -> None:
    office.headers("maker")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: office.ask("maker", kind="carry_over", source_id=two[0]), range(16))
        )
    assert sorted(one.status_code for one in answers) == [200] + [409] * 15
    assert figures(office, two[0]) == (1_000_00, 1_000_00)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE budget.change_request SET amount = 1 WHERE id = %(id)s",
        "UPDATE budget.change_request SET checked_by = 'other' WHERE id = %(id)s",
        "DELETE FROM budget.change_request WHERE id = %(id)s",
    ],
)
def test_a_decision_stays(office: Office, two, database, statement) -> None:
    asked = office.ask("maker", kind="reduction", source_id=two[0], amount=100).json()
    office.post("checker", f"/change-requests/{asked['id']}/approve")
    with (
        shown(database.owner, token_for_all(database.owner)) as cx,
        pytest.raises(psycopg.Error) as refused,
    ):
        cx.execute(statement, {"id": asked["id"]})
    assert refused.value.sqlstate == "JC002"
