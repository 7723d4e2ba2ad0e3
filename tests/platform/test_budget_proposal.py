"""二上二下: from the first submission to the indicators; who may not, and what never changes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from jincai_budget.documents import IndicatorDocument

from tests.platform.budgeting import DIVISION, YEAR, Office, line, publish
from tests.platform.posting import shown, token_for_all


@pytest.fixture(scope="module", autouse=True)
def _edition(database) -> None:
    publish(database.owner, YEAR, YEAR + 1)


@pytest.fixture
def office(client, session) -> Office:
    return Office(client, session)


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


TWO = (line(1_000_00), line(500_00, dep_exp_eco_code="30211", summary="差旅费"))


def at_second(office: Office, *control: dict[str, object]) -> int:
    """A proposal whose control figures are issued."""
    number = office.create()
    assert office.put("unit", number, "first", *TWO).status_code == 200
    office.done("unit", number, "submit")
    if control:
        assert office.put("maker", number, "control", *control).status_code == 200
    office.done("maker", number, "issue")
    return number


def test_twice_up_and_twice_down_makes_indicators(office: Office) -> None:
    number = at_second(office, line(900_00), line(500_00, dep_exp_eco_code="30211", summary="差旅费"))
    moved = (line(950_00), line(450_00, dep_exp_eco_code="30211", summary="差旅费(压减)"))
    assert office.put("unit", number, "second", *moved).status_code == 200
    office.done("unit", number, "submit")
    second = [
        one for one in office.get("checker", f"/proposals/{number}")["lines"] if one["stage"] == "second"
    ]
    levels = {str(second[1]["id"]): 1}
    approved = office.done("checker", number, "approve", control_levels=levels, reason="准予批复")
    assert approved["state"] == "approved"
    made = office.indicators()
    assert [one["indicator"]["indicator_no"] for one in made] == [
        f"{YEAR}-{office.agency}-0001",
        f"{YEAR}-{office.agency}-0002",
    ]
    assert [one["indicator"]["amount"] for one in made] == [950_00, 450_00]
    assert [one["indicator"]["control_level"] for one in made] == [2, 1]
    change = made[0]["changes"][0]
    assert (change["kind"], change["made_by"], change["checked_by"]) == ("approval", "unit", "checker")
    assert change["reason"] == "准予批复"
    trail = office.get("unit", f"/proposals/{number}")["trail"]
    assert [one["kind"] for one in trail] == ["create", "submit", "issue", "submit", "approve"]
    assert [one["amount"] for one in trail] == [0, 1_500_00, 1_400_00, 1_400_00, 1_400_00]


def test_approval_tells_others_and_again_changes_nothing(office: Office, books) -> None:
    number = at_second(office)
    office.done("unit", number, "submit")
    seen = office.get("checker", f"/proposals/{number}")["proposal"]["seen"]
    answers = [office.post("checker", f"/proposals/{number}/approve", seen=seen) for _ in range(3)]
    assert {one.status_code for one in answers} == {200}
    assert len({one.text for one in answers}) == 1
    assert len(office.indicators()) == 2
    told = """
        SELECT payload FROM hub.outbox
         WHERE kind = 'indicator' AND payload ->> 'agency_code' = %s ORDER BY id
    """
    documents = [IndicatorDocument(**row[0]) for row in books.execute(told, (office.agency,)).fetchall()]
    assert [one.amount for one in documents] == [1_000_00, 500_00]
    assert office.post("checker:other", f"/proposals/{number}/approve", seen=seen).status_code == 409


def test_two_who_approve_at_once_make_the_indicators_once(office: Office) -> None:
    number = at_second(office)
    office.done("unit", number, "submit")
    seen = office.get("checker", f"/proposals/{number}")["proposal"]["seen"]
    people = ["checker", "checker:b"] * 4
    office.headers("checker:b")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda who: office.post(who, f"/proposals/{number}/approve", seen=seen), people)
        )
    # Whoever was first is answered the same each time, the other is told that it is done.
    assert sorted(one.status_code for one in answers) == [200] * 4 + [409] * 4
    assert len(office.indicators()) == 2


def test_lines_do_not_change_while_they_are_submitted(office: Office, books) -> None:
    number = office.create()
    office.put("unit", number, "first", line(1))
    seen = office.get("unit", f"/proposals/{number}")["proposal"]["seen"]

    def act(n: int) -> int:
        if n == 6:
            return office.post("unit", f"/proposals/{number}/submit", seen=seen).status_code
        return office.put("unit", number, "first", line(n), line(n, dep_exp_eco_code="30211")).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(act, range(12))) <= {200, 409}
    sums = "SELECT stage, sum(amount) FROM budget.proposal_line WHERE proposal_id = %s GROUP BY 1"
    found = dict(books.execute(sums, (number,)).fetchall())
    step = office.get("maker", f"/proposals/{number}")["trail"][-1]
    assert found["first"] == found["control"] == step["amount"]


@pytest.mark.parametrize("levels", [{"1": 2}, {"1": 3}, {"0": 1}, {str(2**63): 1}, {"x": 1}])
def test_a_control_level_is_for_a_line_that_is_submitted(office: Office, levels) -> None:
    number = at_second(office)
    office.done("unit", number, "submit")
    assert office.step("checker", number, "approve", control_levels=levels).status_code == 422
    assert office.indicators() == []


def test_creating_again_gives_the_same_proposal(office: Office) -> None:
    assert office.create() == office.create()


def test_nobody_steps_on_what_they_have_not_seen(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", *TWO)
    seen = office.get("unit", f"/proposals/{number}")["proposal"]["seen"]
    office.done("unit", number, "submit")
    office.done("maker", number, "return", reason="请补充依据")
    stale = office.post("maker", f"/proposals/{number}/issue", seen=seen)
    assert stale.status_code == 409
    assert "一上已退回" in stale.json()["detail"]
    # What the unit repeats is done already: no second submission.
    assert office.post("unit", f"/proposals/{number}/submit", seen=seen).json()["state"] == "first_returned"


def test_returned_with_a_reason_and_submitted_again(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", *TWO)
    office.done("unit", number, "submit")
    office.put("maker", number, "control", line(1))
    assert office.step("maker", number, "return").status_code == 422
    office.done("maker", number, "return", reason="请补充依据")
    whole = office.get("unit", f"/proposals/{number}")
    assert (whole["trail"][-1]["reason"], whole["open"], whole["stages"]) == (
        "请补充依据",
        "first",
        ["first"],
    )
    office.put("unit", number, "first", line(800_00))
    office.done("unit", number, "submit")
    office.done("maker", number, "issue")
    office.done("unit", number, "submit")
    office.done("checker", number, "return", reason="请细化项目")
    assert office.put("unit", number, "second", line(700_00)).status_code == 200
    office.done("unit", number, "submit")
    office.done("checker", number, "approve")
    assert [one["indicator"]["amount"] for one in office.indicators()] == [700_00]


def test_the_second_submission_stays_within_the_control_figures_of_a_fund_type(office: Office) -> None:
    number = at_second(office, line(900_00), line(100_00, fund_type_code="2"))
    office.put("unit", number, "second", line(800_00), line(100_01, fund_type_code="2", summary="专户"))
    refused = office.step("unit", number, "submit")
    assert refused.status_code == 422
    detail = refused.json()["detail"]
    assert "资金性质 2 申报 100.01 元,控制数 100.00 元,超出 0.01 元" in detail
    assert "第 2 行“专户”" in detail
    assert "资金性质 1" not in detail
    office.put("unit", number, "second", line(800_00), line(100_00, fund_type_code="2"))
    office.done("unit", number, "submit")


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("bgt_type_code", "9"),
        ("fund_type_code", "9"),
        ("exp_func_code", "2999999"),
        ("dep_exp_eco_code", "99999"),
    ],
)
def test_a_code_that_the_year_lacks_is_named(office: Office, field: str, code: str) -> None:
    number = office.create()
    refused = office.put("unit", number, "first", line(1), line(1, **{field: code, "project_code": "P1"}))
    assert refused.status_code == 422
    assert f"第 2 行 {field.removesuffix('_code')} {code}" in refused.json()["detail"]
    assert office.get("unit", f"/proposals/{number}")["lines"] == []


def test_a_year_without_standards_takes_no_lines(office: Office) -> None:
    office.year = 2044
    assert office.put("unit", office.create(), "first", line(1)).status_code == 422


def test_units_that_the_year_lists_are_the_only_ones(database, client, session) -> None:
    publish(database.owner, 2031, agencies={"700001": DIVISION})
    listed, other = Office(client, session, "700001", 2031), Office(client, session, "700002", 2031)
    assert listed.create()
    refused = other.post("unit", "/proposals", fiscal_year=2031, division=DIVISION, agency_code="700002")
    assert refused.status_code == 422
    assert "700002" in refused.json()["detail"]


def test_the_same_codes_twice_are_refused(office: Office) -> None:
    refused = office.put("unit", office.create(), "first", line(1), line(2))
    assert refused.status_code == 422
    assert "第 2 行与第 1 行" in refused.json()["detail"]


def test_another_unit_is_not_reached(office: Office, client, session) -> None:
    number = office.create()
    stranger = Office(client, session)
    books = {"fiscal_year": YEAR, "division": DIVISION, "agency_code": office.agency}
    assert stranger.post("unit", "/proposals", **books).status_code == 403
    assert stranger.put("unit", number, "first", line(1)).status_code == 404
    assert stranger.post("unit", f"/proposals/{number}/submit", seen=1).status_code == 404


def test_nobody_approves_what_they_had_a_hand_in(client, session) -> None:
    office = Office(client, session)
    for who, more in (("unit", "budget.draft"), ("maker", "budget.approve")):
        duty = {"unit": "budget.submit", "maker": "budget.draft"}[who]
        office.tokens[who] = session("budget.read", duty, more, divisions=(DIVISION,), actor=who)
    number = office.create()
    office.put("unit", number, "first", *TWO)
    office.done("unit", number, "submit")
    assert office.step("unit", number, "issue").status_code == 403
    office.done("maker", number, "issue")
    office.done("unit", number, "submit")
    assert office.step("maker", number, "approve").status_code == 403
    office.done("checker", number, "approve")


def test_each_step_takes_its_permission(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", *TWO)
    assert office.put("maker", number, "first", line(1)).status_code == 403
    assert office.step("maker", number, "submit").status_code == 403
    office.done("unit", number, "submit")
    assert office.step("checker", number, "issue").status_code == 403
    assert office.step("checker", number, "return", reason="不应").status_code == 403
    assert office.put("unit", number, "first", line(1)).status_code == 409
    office.done("maker", number, "issue")
    office.done("unit", number, "submit")
    assert office.step("maker", number, "approve").status_code == 403
    assert office.step("maker", number, "return", reason="不应").status_code == 403


def test_control_figures_are_finances_own_until_issued(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", *TWO)
    office.done("unit", number, "submit")
    assert office.get("unit", f"/proposals/{number}")["stages"] == ["first"]
    assert office.get("unit", f"/proposals/{number}/comparison")["stages"] == ["first"]
    assert office.get("maker", f"/proposals/{number}")["stages"] == ["first", "control"]


def test_an_empty_submission_is_refused(office: Office) -> None:
    assert office.step("unit", office.create(), "submit").status_code == 422


def test_stages_are_compared_line_by_line(office: Office) -> None:
    number = at_second(office, line(900_00), line(500_00, dep_exp_eco_code="30211"))
    office.put("unit", number, "second", line(900_00), line(300_00, dep_exp_eco_code="31001", summary="设备"))
    found = office.get("maker", f"/proposals/{number}/comparison")
    by_item = {one["dep_exp_eco_code"]: one for one in found["lines"]}
    assert by_item["30201"]["amounts"] == {"first": 1_000_00, "control": 900_00, "second": 900_00}
    assert by_item["30201"]["differences"] == [
        {"stage": "control", "amount": -100_00, "percent": "-10.00"},
        {"stage": "second", "amount": 0, "percent": "0.00"},
    ]
    assert by_item["30211"]["differences"][1] == {"stage": "second", "amount": -500_00, "percent": "-100.00"}
    assert by_item["31001"]["differences"][1] == {"stage": "second", "amount": 300_00, "percent": None}
    assert found["totals"] == {"first": 1_500_00, "control": 1_400_00, "second": 1_200_00}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE budget.proposal_line SET amount = amount + 1 WHERE proposal_id = %(id)s AND stage = 'first'",
        "DELETE FROM budget.proposal_line WHERE proposal_id = %(id)s AND stage = 'control'",
        "UPDATE budget.proposal_line SET stage = 'second' WHERE proposal_id = %(id)s AND stage = 'first'",
        "UPDATE budget.proposal SET state = 'draft' WHERE id = %(id)s",
        "UPDATE budget.proposal SET state = 'approved' WHERE id = %(id)s",
        "DELETE FROM budget.proposal_step WHERE proposal_id = %(id)s",
        "UPDATE budget.proposal_step SET made_by = 'x' WHERE proposal_id = %(id)s",
        "TRUNCATE budget.proposal_line CASCADE",
        "TRUNCATE budget.indicator_change",
        "UPDATE budget.indicator_change SET amount = 0",
    ],
)
def test_not_even_the_owner_changes_what_is_closed(office: Office, database, statement) -> None:
    number = at_second(office)
    with (
        shown(database.owner, token_for_all(database.owner)) as cx,
        pytest.raises(psycopg.Error) as refused,
    ):
        cx.execute(statement, {"id": number})
    assert refused.value.sqlstate == "JC002"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": -1},
        {"amount": 10**15 + 1},
        {"amount": 1.5},
        {"summary": ""},
        {"summary": "a\u0000b"},
        {"exp_func_code": ""},
        {"control_level": 0},
        {"project_code": "x" * 31},
    ],
)
def test_wrong_lines_are_refused(office: Office, wrong) -> None:
    number = office.create()
    assert office.put("unit", number, "first", {**line(1), **wrong}).status_code == 422


def test_the_list_is_filtered(office: Office) -> None:
    number = office.create()
    found = office.get("maker", "/proposals", fiscal_year=YEAR, division=DIVISION, agency_code=office.agency)
    assert [one["id"] for one in found["items"]] == [number]
    none = office.get(
        "maker",
        "/proposals",
        fiscal_year=YEAR,
        division=DIVISION,
        agency_code=office.agency,
        state="approved",
    )
    assert none["total"] == 0
