"""案件: the whole way, two people never the same, a trail that stays, deadlines, who sees what."""

import asyncio
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from jincai.auth import sessions
from jincai.auth.principal import Principal
from jincai.database import Database
from jincai.monitoring.cases import deadlines, moves, worklist
from jincai.monitoring.cases.asked import Note
from jincai.monitoring.cases.case import CaseFile
from jincai.monitoring.cases.states import CaseError

from tests.platform.auth_people import person as account
from tests.platform.case_desk import API, PDF, alert, answered, moved, revision, taken
from tests.platform.desk import Person
from tests.platform.posting import shown, token_for_all
from tests.platform.sweeping import with_pool

OFFICE = ("monitor.read", "monitor.handle", "payment.read")


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def li(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=["450100", "450102"], actor="li"))


@pytest.fixture(scope="module")
def wang(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=["450100"], actor="wang"))


@pytest.fixture(scope="module")
def unit(client, session) -> Person:
    return Person(client, session("monitor.reply", divisions=["450100"], agencies=["101001"], actor="unit"))


def deadline_step(database) -> int:
    """One look at the deadlines, as the process has it."""

    async def work(pool: Database, _: str) -> int:
        with psycopg.connect(database.auth) as cx:
            token = sessions.open_for_process(cx, "system", (), 60)
        return await pool.write(deadlines.step, token=token)

    return with_pool(database, work)


def test_the_whole_way_to_a_rectified_violation(books, li, wang, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明用途", days=3).json()["state"] == "inquired"
    assert answered(unit, case, files=[PDF]).json()["state"] == "replied"
    assert moved(li, case, "inquire", text="请补充合同", days=2).status_code == 200
    assert answered(unit, case, text="已补充").status_code == 200
    concluded = moved(li, case, "conclude", conclusion="violation", text="无依据支付")
    assert (concluded.json()["state"], concluded.json()["conclusion"]) == ("violation", "violation")
    assert moved(li, case, "order", text="退回资金", days=5).json()["state"] == "rectifying"
    assert answered(unit, case, "report", "已退回").json()["state"] == "rectified"
    assert moved(li, case, "order", text="退回不足", days=5).json()["state"] == "rectifying"
    assert answered(unit, case, "report", "已全部退回").json()["state"] == "rectified"
    own = moved(li, case, "close", text="属实")
    assert (own.status_code, "须由他人结案" in own.json()["detail"]) == (403, True)
    closed = moved(wang, case, "close", text="已核实").json()
    assert (closed["state"], closed["closed_by"], closed["whole"], closed["due_at"]) == (
        "closed", "wang", True, None,
    )  # fmt: skip
    assert [(one["action"], one["actor"]) for one in closed["events"]] == [
        ("opened", "li"), ("inquired", "li"), ("replied", "unit"), ("inquired", "li"), ("replied", "unit"),
        ("concluded", "li"), ("ordered", "li"), ("reported", "unit"), ("ordered", "li"), ("reported", "unit"),
        ("closed", "wang"),
    ]  # fmt: skip
    assert closed["events"][2]["attachments"][0]["name"] == "合同.pdf"


def test_what_is_normal_at_first_look_is_closed_by_the_same_person(books, li) -> None:
    case = taken(li, alert(books, subject=88))
    early = moved(li, case, "conclude", conclusion="violation", text="未问先定")
    assert (early.status_code, "尚未问询" in early.json()["detail"]) == (409, True)
    assert moved(li, case, "conclude", conclusion="normal", text="工会经费").status_code == 200
    assert moved(li, case, "close", text="无异常").json()["state"] == "closed"
    assert moved(li, case, "note", text="再说").status_code == 409
    # The record fired again: that is another case.
    assert taken(li, alert(books, subject=88, rule="R10")) != case


def test_no_other_ways_even_past_the_application(books, li) -> None:
    case = taken(li, alert(books))
    for change in (
        "state = 'closed', conclusion = 'normal', concluded_by = 'x', revision = revision + 1",
        "state = 'rectified', revision = revision + 1",
        "handler = 'x'",
        "agency_code = 'x', revision = revision + 1",
        # With no event to tell of it.
        "handler = 'x', revision = revision + 1",
    ):
        with pytest.raises(psycopg.errors.Error) as refused:
            books.execute(f"UPDATE monitor.case_file SET {change} WHERE id = {case}".encode())  # noqa: S608
        assert refused.value.sqlstate in {"JC008", "23514"}, change


def test_twenty_people_taking_at_once_never_get_the_same_and_none_is_lost(database, books) -> None:
    with psycopg.connect(database.auth) as cx:
        tokens = [
            sessions.open_for_process(cx, f"p{n}", OFFICE, 600, divisions=["450300"]) for n in range(20)
        ]
    people = [
        Principal(token, f"p{n}", frozenset(OFFICE), ("450300",), None) for n, token in enumerate(tokens)
    ]
    ids = {alert(books, division="450300", agency="301001") for _ in range(100)}
    # Three alerts more of records that are there already: they come along.
    rows = books.execute(
        "SELECT subject_id FROM monitor.alert WHERE id = ANY (%s) ORDER BY id LIMIT 3", (list(ids),)
    ).fetchall()
    for (subject,) in rows:
        alert(books, division="450300", agency="301001", subject=subject, rule="R9", level="red")
    alert(books, division="450300", agency="301001", shadow=True)

    async def run() -> list[int]:
        pool = Database(database.app, size=20, name="takers")
        await pool.open()

        async def all_of(one: Principal) -> list[int]:
            found: list[int] = []
            while True:
                key = uuid.uuid4()
                made = await pool.write(
                    lambda cx, key=key: worklist.take_next(cx, one, key), token=one.token, repeatable=True
                )
                if made is None:
                    return found
                found.append(made)

        try:
            return [case for one in await asyncio.gather(*map(all_of, people)) for case in one]
        finally:
            await pool.close()

    cases = asyncio.run(run())
    assert len(cases) == len(set(cases)) == 100
    left = books.execute(
        "SELECT count(*) FROM monitor.alert AS a WHERE division = '450300' AND NOT shadow"
        " AND NOT EXISTS (SELECT FROM monitor.case_alert AS c WHERE c.alert_id = a.id)"
    ).fetchone()
    assert left == (0,)
    bound = books.execute(
        "SELECT count(*), count(DISTINCT case_id) FROM monitor.case_alert WHERE case_id = ANY (%s)", (cases,)
    ).fetchone()
    assert bound == (103, 100)


def test_the_next_is_the_reddest_and_oldest(books, client, session) -> None:
    mine = Person(client, session(*OFFICE, divisions=["450400"], actor="zhao"))
    made = [alert(books, division="450400", level=one) for one in ("yellow", "red", "orange", "red")]
    got = []
    for _ in made:
        case = mine.post(f"{API}/cases/take-next", {}).json()["case_id"]
        got.append(mine.get(f"{API}/cases/{case}").json()["alerts"][0]["alert_id"])
    assert got == [made[1], made[3], made[2], made[0]]
    assert mine.post(f"{API}/cases/take-next", {}).json() == {"case_id": None}


def test_a_named_alert_belongs_to_who_took_it(books, li, wang) -> None:
    number = alert(books)
    case = taken(li, number)
    assert taken(li, number) == case
    late = wang.post(f"{API}/cases/take", {"alert_id": number})
    assert (late.status_code, f"案件 {case}" in late.json()["detail"]) == (409, True)
    assert moved(wang, case, "inquire", text="越权", days=1).status_code == 403
    assert wang.post(f"{API}/cases/take", {"alert_id": alert(books, shadow=True)}).status_code == 404


def test_a_later_alert_of_the_same_record_joins(books, li) -> None:
    case = taken(li, alert(books, subject=77, level="yellow"))
    assert (
        taken(li, alert(books, subject=77, rule="R9", level="red", disposal="warn_with_attachment")) == case
    )
    found = li.get(f"{API}/cases/{case}").json()
    assert (found["level"], found["needs_attachment"], len(found["alerts"])) == ("red", True, 2)
    assert found["events"][-1]["action"] == "joined"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE monitor.case_event SET text = 'x'",
        "DELETE FROM monitor.case_event",
        "TRUNCATE monitor.case_event CASCADE",
        "DELETE FROM monitor.case_file",
        "UPDATE monitor.case_attachment SET name = 'x'",
        "DELETE FROM monitor.case_alert",
    ],
)
def test_the_trail_is_never_changed_by_its_owner_either(server, database, books, li, change) -> None:
    taken(li, alert(books))
    name = str(psycopg.conninfo.conninfo_to_dict(database.owner)["dbname"])
    with psycopg.connect(database.owner) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token_for_all(database.owner),))
        with pytest.raises(psycopg.errors.Error) as refused:
            cx.execute(change.encode())
    assert refused.value.sqlstate == "JC002"
    # Nor by a superuser who applies replicated changes.
    with psycopg.connect(server.url(name)) as root:
        root.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.Error) as refused:
            root.execute(change.encode())
    assert refused.value.sqlstate == "JC002"


def test_a_trail_that_was_tampered_with_does_not_verify(server, database, books, li) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(database.owner)["dbname"])
    for change in (
        "UPDATE monitor.case_event SET text = 'x' WHERE case_id = %s AND n = 2",
        "DELETE FROM monitor.case_event WHERE case_id = %s AND n = 3",
        "UPDATE monitor.case_event SET at = at - interval '1 day' WHERE case_id = %s AND n = 1",
    ):
        case = taken(li, alert(books))
        for text in ("一", "二"):
            assert moved(li, case, "note", text=text).json()["whole"] is True
        with psycopg.connect(server.url(name)) as root:
            root.execute("ALTER TABLE monitor.case_event DISABLE TRIGGER USER")
            root.execute(change.encode(), (case,))
            root.execute("ALTER TABLE monitor.case_event ENABLE ALWAYS TRIGGER final")
            root.execute("ALTER TABLE monitor.case_event ENABLE ALWAYS TRIGGER chained")
        assert li.get(f"{API}/cases/{case}").json()["whole"] is False, change


def test_nobody_writes_into_the_trail_under_another_name(database, books, li, session) -> None:
    case = taken(li, alert(books))
    with psycopg.connect(database.app) as cx:
        token = session("monitor.handle", divisions=["450100"], actor="mallory")
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
        cx.execute("UPDATE monitor.case_file SET revision = revision + 1 WHERE id = %s", (case,))
        cx.execute(
            "INSERT INTO monitor.case_event"
            " (case_id, n, action, actor, at, from_state, to_state, prev_hash, hash)"
            " SELECT %s, 9, 'noted', 'li', '2000-01-01', 'looking', 'looking', last_hash, last_hash"
            "   FROM monitor.case_file WHERE id = %s",
            (case, case),
        )
        row = cx.execute(
            "SELECT n, actor, at > now() - interval '1 day' FROM monitor.case_event"
            " WHERE case_id = %s ORDER BY n DESC",
            (case,),
        ).fetchone()
    assert row == (2, "mallory", True)


def test_a_stale_move_is_refused_and_a_repeated_one_done_once(books, li) -> None:
    case = taken(li, alert(books))
    seen = revision(li, case)
    assert moved(li, case, "inquire", text="请说明", days=3, revision=seen).status_code == 200
    again = moved(li, case, "inquire", text="请说明", days=3, revision=seen)
    assert (again.status_code, again.json()["revision"]) == (200, seen + 1)
    stale = moved(li, case, "note", text="迟了", revision=seen)
    assert (stale.status_code, "请重新读取" in stale.json()["detail"]) == (409, True)
    english = li.client.post(
        f"{API}/cases/{case}/moves",
        json={"move": "note", "revision": seen, "text": "late"},
        headers=li.headers | {"Accept-Language": "en"},
    )
    assert "moved on" in english.json()["detail"]


def test_of_two_moves_at_once_one_is_done(database, books, session, li) -> None:
    case = taken(li, alert(books))
    seen = revision(li, case)
    people = [Principal(session(*OFFICE, actor=name), name, frozenset(OFFICE), None, None) for name in "abcd"]

    async def work(pool: Database, _: str) -> list[object]:
        async def one(who: Principal) -> object:
            asked = Note(move="note", revision=seen, text="同时")
            return await pool.write(lambda cx: moves.make(cx, who, case, asked), token=who.token)

        return await asyncio.gather(*map(one, people), return_exceptions=True)

    done = with_pool(database, work)
    assert sum(isinstance(one, CaseFile) for one in done) == 1, done
    assert [one.status for one in done if isinstance(one, CaseError)] == [409, 409, 409]
    assert revision(li, case) == seen + 1


def test_talk_has_a_bound(books, li, monkeypatch) -> None:
    case = taken(li, alert(books))
    monkeypatch.setattr(moves, "EVENTS_MOST", 2)
    assert moved(li, case, "note", text="一").status_code == 200
    assert "已达 2 条" in moved(li, case, "note", text="二").json()["detail"]
    assert moved(li, case, "conclude", conclusion="normal", text="无异常").status_code == 200


def test_a_unit_sees_its_own_once_asked_and_no_notes(books, client, session, li, unit) -> None:
    case = taken(li, alert(books))
    assert unit.get(f"{API}/inquiries/{case}").status_code == 404
    assert answered(unit, case, seen=1).status_code == 404
    assert moved(li, case, "note", text="疑似套现").status_code == 200
    assert moved(li, case, "inquire", text="请说明用途", days=3).status_code == 200
    found = unit.get(f"{API}/inquiries/{case}")
    assert [one["action"] for one in found.json()["events"]] == ["inquired"]
    assert "疑似套现" not in found.text
    assert unit.get(f"{API}/cases/{case}").status_code == 403
    other = Person(client, session("monitor.reply", divisions=["450100"], agencies=["101002"], actor="other"))
    assert other.get(f"{API}/inquiries/{case}").status_code == 404
    assert answered(other, case, seen=3).status_code == 404
    assert case not in [one["id"] for one in other.get(f"{API}/inquiries").json()["items"]]
    assert case in [one["id"] for one in unit.get(f"{API}/inquiries", limit=200).json()["items"]]
    assert answered(li, case, seen=3).status_code == 403


def test_the_database_keeps_notes_from_a_unit(database, books, li, session) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="请说明用途", days=3).status_code == 200
    with psycopg.connect(database.app) as cx:
        token = session("monitor.reply", divisions=["450100"], agencies=["101001"], actor="unit")
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
        rows = cx.execute("SELECT action FROM monitor.case_event WHERE case_id = %s", (case,)).fetchall()
    assert rows == [("inquired",)]


def test_an_attachment_is_demanded_checked_and_given_back(books, client, session, li, unit) -> None:
    case = taken(li, alert(books, disposal="warn_with_attachment"))
    assert moved(li, case, "inquire", text="请附合同", days=3).status_code == 200
    bare = answered(unit, case)
    assert (bare.status_code, "须附附件" in bare.json()["detail"]) == (422, True)
    for name, content in (
        ("合同.pdf", b"MZ\x90\x00"),
        ("脚本.html", b"<script>1</script>"),
        ("图.png", b"%PDF-1.7"),
        ("空.txt", b""),
        ("包.zip", b"PK\x03\x04rest"),
        ("大.txt", b"a" * (5 * 2**20 + 1)),
    ):
        assert answered(unit, case, files=[(name, content, "text/plain")]).status_code == 422, name
    many = [(f"{n}.txt", b"text", "text/plain") for n in range(6)]
    assert "最多 5 个" in answered(unit, case, files=many).json()["detail"]
    big = ("大.pdf", b"%PDF-" + b"x" * (5 * 2**20 - 5), "application/pdf")
    sent = answered(unit, case, files=[("../../合同.PDF", PDF[1], "text/html"), big, big])
    assert sent.status_code == 200, sent.text
    files = sent.json()["events"][-1]["attachments"]
    assert [one["name"] for one in files] == ["合同.PDF", "大.pdf", "大.pdf"]
    where = f"{API}/cases/{case}/attachments/{files[0]['id']}"
    for person in (li, unit):
        got = person.get(where)
        assert got.content == PDF[1]
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["content-type"] == "application/pdf"
    other = Person(client, session("monitor.reply", divisions=["450100"], agencies=["101002"], actor="other"))
    assert other.get(where).status_code == 404
    assert li.get(f"{API}/cases/{case}").json()["whole"] is True


def test_each_passed_deadline_escalates_once(server, database, books, li) -> None:
    case = taken(li, alert(books))
    _pass(server, database, "due_at", case)
    assert case in [one["id"] for one in li.get(f"{API}/cases", list="overdue").json()["items"]]
    assert deadline_step(database) >= 1
    deadline_step(database)
    found = li.get(f"{API}/cases/{case}").json()
    assert (found["escalation"], found["whole"]) == (1, True)
    assert [(one["action"], one["actor"]) for one in found["events"]][1:] == [("overdue", "system")]
    assert moved(li, case, "inquire", text="请说明", days=3).status_code == 200
    _pass(server, database, "due_at", case)
    deadline_step(database)
    assert li.get(f"{API}/cases/{case}").json()["escalation"] == 2
    assert moved(li, case, "escalate", text="金额巨大").json()["escalation"] == 3
    assert moved(li, case, "escalate", text="再上报").status_code == 409


def test_a_snooze_ends_by_itself(server, database, books, li) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "snooze", days=91, text="太久").status_code == 422
    slept = moved(li, case, "snooze", days=30, text="等年度决算").json()
    assert slept["due_at"] >= slept["snoozed_until"]
    lists = {name: _on(li, name) for name in ("mine", "snoozed")}
    assert case in lists["snoozed"] - lists["mine"]
    deadline_step(database)
    assert li.get(f"{API}/cases/{case}").json()["snoozed_until"]
    _pass(server, database, "snoozed_until", case)
    assert case in _on(li, "mine") - _on(li, "snoozed")
    deadline_step(database)
    found = li.get(f"{API}/cases/{case}").json()
    assert (found["snoozed_until"], found["events"][-1]["action"]) == (None, "woken")
    assert moved(li, case, "snooze", days=3, text="再等").status_code == 200
    assert moved(li, case, "wake").json()["snoozed_until"] is None


def test_a_case_is_handed_down_to_a_county(books, client, session, li, wang) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "hand_down", division="450200", text="非下属").status_code == 422
    county = Person(client, session(*OFFICE, divisions=["450102"], actor="county"))
    assert county.get(f"{API}/cases/{case}").status_code == 404
    assert moved(li, case, "hand_down", division="450102", text="属地办理").status_code == 200
    assert wang.get(f"{API}/cases/{case}").status_code == 404
    found = county.get(f"{API}/cases/{case}").json()
    assert (found["handler"], found["whole"], len(found["alerts"])) == ("", True, 1)
    assert case in _on(county, "unassigned")
    assert moved(county, case, "inquire", text="先接手", days=3).status_code == 403
    assert moved(county, case, "take_over").json()["handler"] == "county"
    # Whoever sees the alert alone does not take it again, open or closed.
    number = found["alerts"][0]["alert_id"]
    late = wang.post(f"{API}/cases/take", {"alert_id": number})
    assert (late.status_code, "看不到的区划" in late.json()["detail"]) == (409, True)
    # A city that does not see the county finds out, instead of making another case.
    subject = found["subject_id"]
    more = wang.post(f"{API}/cases/take", {"alert_id": alert(books, subject=subject, rule="R9")})
    assert more.status_code == 409
    assert moved(county, case, "conclude", conclusion="normal", text="无异常").status_code == 200
    assert moved(county, case, "close", text="无异常").status_code == 200
    assert wang.post(f"{API}/cases/take", {"alert_id": number}).status_code == 409
    while got := wang.post(f"{API}/cases/take-next", {}).json()["case_id"]:
        assert number not in [one["alert_id"] for one in wang.get(f"{API}/cases/{got}").json()["alerts"]]


def test_a_case_is_handed_over_to_somebody_who_works_on_cases(database, books, li, wang) -> None:
    account(database.owner, "sun", ["monitor_maker"])
    account(database.owner, "qian", ["budget_maker"])
    case = taken(li, alert(books))
    for nobody in ("qian", "nobody"):
        assert moved(li, case, "hand_over", to=nobody, text="请办").status_code == 422
    found = moved(wang, case, "hand_over", to="sun", text="轮岗").json()
    assert (found["handler"], found["events"][-1]["detail"]) == ("sun", {"from": "li", "to": "sun"})
    assert moved(li, case, "inquire", text="不再承办", days=1).status_code == 403


def _on(person: Person, name: str) -> set[int]:
    found = person.get(f"{API}/cases", list=name, limit=200).json()
    return {one["id"] for one in found["items"]}


def _pass(server, database, column: str, case: int) -> None:
    """As if ``column``'s moment had passed: only a superuser gets round the triggers."""
    name = str(psycopg.conninfo.conninfo_to_dict(database.owner)["dbname"])
    with psycopg.connect(server.url(name), autocommit=True) as root:
        root.execute("ALTER TABLE monitor.case_file DISABLE TRIGGER moves")
        passed = f"UPDATE monitor.case_file SET {column} = now() - interval '1 hour' WHERE id = %s"  # noqa: S608
        root.execute(passed.encode(), (case,))
        root.execute("ALTER TABLE monitor.case_file ENABLE ALWAYS TRIGGER moves")
