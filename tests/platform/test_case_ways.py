"""案件: evidence, reopening, silent units, hand-downs, a site's own days, what a unit sees."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from jincai.monitoring.cases import attachments

from tests.platform.auth_people import person as account
from tests.platform.case_desk import API, PDF, alert, answered, moved, taken
from tests.platform.desk import Person
from tests.platform.posting import shown, token_for_all

OFFICE = ("monitor.read", "monitor.handle", "payment.read")
LI_SEES = ["450100", "450102"]


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def li(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=LI_SEES, actor="li"))


@pytest.fixture(scope="module")
def wang(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=LI_SEES, actor="wang"))


@pytest.fixture(scope="module")
def unit(client, session) -> Person:
    return Person(client, session("monitor.reply", divisions=["450100"], agencies=["101001"], actor="unit"))


def state(person: Person, case: int) -> str:
    return str(person.get(f"{API}/cases/{case}").json()["state"])


def pass_due(server, database, case: int) -> None:
    """As if its time had passed: only a superuser gets round the triggers."""
    name = str(psycopg.conninfo.conninfo_to_dict(database.owner)["dbname"])
    with psycopg.connect(server.url(name), autocommit=True) as root:
        root.execute("ALTER TABLE monitor.case_file DISABLE TRIGGER moves")
        root.execute("UPDATE monitor.case_file SET due_at = now() - interval '1 hour' WHERE id = %s", (case,))
        root.execute("ALTER TABLE monitor.case_file ENABLE ALWAYS TRIGGER moves")


@pytest.mark.parametrize("disposal", ["hold", "forbid", "warn_with_attachment"])
def test_what_was_stopped_is_answered_with_evidence(books, li, unit, disposal) -> None:
    case = taken(li, alert(books, disposal=disposal))
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    assert (answered(unit, case).status_code, state(li, case)) == (422, "inquired")
    assert answered(unit, case, files=[PDF]).status_code == 200


def test_one_that_was_stopped_joins_and_demands_evidence(books, li) -> None:
    case = taken(li, alert(books, subject=66))
    assert li.get(f"{API}/cases/{case}").json()["needs_attachment"] is False
    assert taken(li, alert(books, subject=66, rule="R1", disposal="hold")) == case
    assert li.get(f"{API}/cases/{case}").json()["needs_attachment"] is True


def test_a_conclusion_is_taken_back_until_the_case_is_closed(books, li, wang, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "reopen", text="尚无结论").status_code == 409
    assert moved(li, case, "conclude", conclusion="normal", text="看错了").status_code == 200
    opened = moved(wang, case, "reopen", text="收款人不符").json()
    assert (opened["state"], opened["conclusion"], opened["concluded_by"], opened["whole"]) == (
        "looking", "", None, True,
    )  # fmt: skip
    # Never asked: still no violation.
    assert moved(li, case, "conclude", conclusion="violation", text="违规").status_code == 409
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    assert answered(unit, case).status_code == 200
    assert moved(li, case, "conclude", conclusion="violation", text="违规").status_code == 200
    assert moved(li, case, "order", text="退回", days=3).status_code == 200
    assert answered(unit, case, "report", "已退").status_code == 200
    assert moved(wang, case, "reopen", text="退回凭证有疑").status_code == 200
    # It was asked before, so it may be found again; and whoever found it now does not close it.
    assert moved(li, case, "conclude", conclusion="violation", text="仍违规").json()["concluded_by"] == "li"
    assert moved(li, case, "order", text="再退", days=3).status_code == 200
    assert answered(unit, case, "report", "已补退").status_code == 200
    assert moved(li, case, "close", text="完").status_code == 403
    assert moved(wang, case, "close", text="完").json()["whole"] is True
    assert moved(wang, case, "reopen", text="再看").status_code == 409
    assert "退回凭证有疑" not in unit.get(f"{API}/inquiries/{case}").text


def test_who_does_not_answer_in_time_is_judged_without_an_answer(server, database, books, li, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    early = moved(li, case, "conclude", conclusion="violation", text="未答复")
    assert (early.status_code, "尚在答复期限内" in early.json()["detail"]) == (409, True)
    # Nor past the application.
    with pytest.raises(psycopg.Error, match="time to answer") as refused:
        books.execute(
            "UPDATE monitor.case_file SET revision = revision + 1, state = 'violation', concluded_by = 'x',"
            " conclusion = 'violation', concluded_at = now() WHERE id = %s",
            (case,),
        )
    assert refused.value.sqlstate == "JC008"
    pass_due(server, database, case)
    assert moved(li, case, "conclude", conclusion="normal", text="算了").status_code == 409
    page = li.page(f"/monitor/cases/{case}").text
    assert 'value="violation"' in page
    assert 'value="normal"' not in page
    found = moved(li, case, "conclude", conclusion="violation", text="逾期未答复")
    assert (found.status_code, found.json()["state"]) == (200, "violation")
    assert answered(unit, case, text="迟到的答复").status_code == 409


def test_a_late_answer_counts_while_nobody_has_judged(server, database, books, li, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    pass_due(server, database, case)
    assert answered(unit, case, text="迟到的答复").json()["state"] == "replied"


def test_the_division_changes_only_to_one_below_where_it_waits(books, client, session, li) -> None:
    case = taken(li, alert(books))
    for change in (
        "division = '450102'",  # to the county, but in the same hands
        "division = '450200', handler = ''",
        "division = '450000', handler = ''",
    ):
        statement = f"UPDATE monitor.case_file SET revision = revision + 1, {change} WHERE id = {case}"  # noqa: S608
        with pytest.raises(psycopg.Error, match="goes to a division below") as refused:
            books.execute(statement.encode())
        assert refused.value.sqlstate == "JC008"
    region = Person(client, session(*OFFICE, actor="region"))
    far = taken(region, alert(books, division="450000"))
    assert moved(region, far, "hand_down", division="450100", text="属地").json()["division"] == "450100"
    assert moved(region, far, "take_over").status_code == 200
    assert moved(region, far, "hand_down", division="450000", text="上交").status_code == 422
    assert moved(region, far, "hand_down", division="450102", text="属地").json()["handler"] == ""
    near = taken(region, alert(books, division="450000"))
    assert moved(region, near, "hand_down", division="450102", text="直达县级").status_code == 200


def test_a_case_is_handed_over_only_to_who_sees_it(database, books, li) -> None:
    account(database.owner, "near", ["monitor_maker"], ["450100"])
    account(database.owner, "above", ["monitor_checker"], ["450000"])
    account(database.owner, "far", ["monitor_maker"], ["450200"])
    account(database.owner, "below", ["monitor_maker"], ["450102"])
    account(database.owner, "other_unit", ["monitor_maker"], ["450100"], ["101002"])
    case = taken(li, alert(books))
    for nobody in ("far", "below", "other_unit"):
        refused = moved(li, case, "hand_over", to=nobody, text="请办")
        assert (refused.status_code, nobody in refused.json()["detail"]) == (422, True)
    assert moved(li, case, "hand_over", to="near", text="请办").json()["handler"] == "near"
    assert moved(li, case, "hand_over", to="above", text="请办").json()["handler"] == "above"
    missing = {"move": "hand_over", "revision": 1, "to": "near", "text": "请办"}
    assert li.post(f"{API}/cases/999999/moves", missing).status_code == 404


def test_taking_under_a_key_is_done_once_and_a_key_is_ones_own(books, client, session) -> None:
    for _ in range(3):
        alert(books, division="450500")
    zhao, qian = (
        Person(client, session(*OFFICE, divisions=["450500"], actor=name)) for name in ("zhao", "qian")
    )
    asked = {"key": str(uuid.uuid4())}
    first = zhao.post(f"{API}/cases/take-next", asked).json()
    assert zhao.post(f"{API}/cases/take-next", asked).json() == first
    other = qian.post(f"{API}/cases/take-next", asked)
    assert (other.status_code, other.json() != first) == (200, True)
    assert zhao.post(f"{API}/cases/take-next", {"key": str(uuid.uuid4())}).json() not in (first, other.json())
    assert zhao.post(f"{API}/cases/take-next", {"key": "short"}).status_code == 422


def test_a_sites_own_days_hold(database, books, li) -> None:
    case = taken(li, alert(books, level="red"))
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("UPDATE monitor.case_days SET days = 7 WHERE (step, level) = ('inquiry', 'red')")
    sent = moved(li, case, "inquire", text="请说明").json()
    (days,) = books.execute(
        "SELECT (due_at AT TIME ZONE 'Asia/Shanghai')::date - (now() AT TIME ZONE 'Asia/Shanghai')::date"
        "  FROM monitor.case_file WHERE id = %s",
        (case,),
    ).fetchall()
    # To the end of the seventh day.
    assert (sent["state"], days) == ("inquired", (8,))
    page = li.page(f"/monitor/cases/{taken(li, alert(books, level='red'))}").text
    assert 'value="7"' in page


def test_a_unit_is_not_told_of_the_offices_own_steps(server, database, books, li, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    assert moved(li, case, "escalate", text="金额大").status_code == 200
    assert unit.get(f"{API}/inquiries/{case}").json()["due_at"] is not None
    assert answered(unit, case).status_code == 200
    pass_due(server, database, case)
    found = unit.get(f"{API}/inquiries/{case}").json()
    assert [found[name] for name in ("handler", "escalation", "due_at", "opened_by")] == ["", 0, None, ""]
    (row,) = (one for one in unit.get(f"{API}/inquiries", limit=200).json()["items"] if one["id"] == case)
    assert [row[name] for name in ("handler", "escalation", "due_at", "late")] == ["", 0, None, "no"]
    # What the office is late with does not show as the unit's delay.
    assert "已逾期" not in unit.page(f"/monitor/inquiries/{case}").text
    assert li.get(f"{API}/cases/{case}").json()["escalation"] == 1


def test_few_answers_are_read_at_once(books, li, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    while attachments._READING.acquire(blocking=False):
        pass
    try:
        assert answered(unit, case).status_code == 503
    finally:
        for _ in range(attachments.READING_MOST):
            attachments._READING.release()
    assert answered(unit, case).status_code == 200


def test_the_page_offers_reopening_to_whoever_may(books, client, session, li) -> None:
    case = taken(li, alert(books))
    assert "重新核查的理由" not in li.page(f"/monitor/cases/{case}").text
    assert moved(li, case, "conclude", conclusion="normal", text="无异常").status_code == 200
    assert "重新核查的理由" in li.page(f"/monitor/cases/{case}").text
    reader = Person(client, session("monitor.read", divisions=LI_SEES, actor="reader"))
    assert "重新核查的理由" not in reader.page(f"/monitor/cases/{case}").text
    sent = li.form(f"/monitor/cases/{case}", move="reopen", revision=2, text="再看")
    assert sent.status_code == 303
    assert state(li, case) == "looking"
