"""Pages of cases: worklists, one case with its forms, and what a unit sees and answers."""

import html
from collections.abc import Iterator

import psycopg
import pytest

from tests.platform.case_desk import API, PDF, alert, answered, moved, revision, taken
from tests.platform.desk import Person
from tests.platform.posting import shown, token_for_all
from tests.platform.ruling import put_in_force, source

HTML = {"Accept": "text/html"}
OFFICE = ("monitor.read", "monitor.handle", "payment.read")


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def li(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=["450100"], actor="li"))


@pytest.fixture(scope="module")
def wang(client, session) -> Person:
    return Person(client, session(*OFFICE, divisions=["450100"], actor="wang"))


@pytest.fixture(scope="module")
def unit(client, session) -> Person:
    return Person(client, session("monitor.reply", divisions=["450100"], agencies=["101001"], actor="unit"))


def form(person: Person, case: int, move: str, **fields: object):
    return person.form(f"/monitor/cases/{case}", move=move, revision=revision(person, case), **fields)


def reply(person: Person, case: int, *, files=(), **fields: object):
    return person.client.post(
        f"/monitor/inquiries/{case}",
        data={"move": "reply", "revision": 2, **fields},
        files=[("files", one) for one in files] or [("files", ("", b"", "text/plain"))],
        headers=person.headers | HTML,
        follow_redirects=False,
    )


def test_the_next_alert_is_taken_and_shown_with_its_rule(database, books, li) -> None:
    put_in_force(database.owner, source("R950", "amount > 1", title="大额提现", reason="现金难以追查"))
    number = alert(books, rule="R950", level="red")
    assert "领取下一件" in li.page("/monitor/cases").text
    answer = li.form("/monitor/cases/take-next")
    assert answer.status_code == 303
    page = li.page(answer.headers["location"]).text
    (found,) = books.execute(
        "SELECT subject_id FROM monitor.alert WHERE id = %s", (number,)
    ).fetchall()  # fmt: skip
    for text in (
        "R950 大额提现",
        "现金难以追查",
        f"/payment/payments/{found[0]}",
        "轨迹完整",
        "初查",
        "60,000.00",
    ):
        assert text in page, text
    for label in ("问询内容", "答复期限(天)", "发出问询", "认定结论", "认定理由", "提交认定"):
        assert label in page, label
    assert "整改要求" not in page
    english = li.page(answer.headers["location"] + "?lang=en").text
    assert "Send inquiry" in english
    li.client.cookies.clear()
    assert li.form("/monitor/cases/take-next").headers["location"] == "/monitor/cases"


def test_the_whole_way_over_the_pages(books, li, wang, unit) -> None:
    number = alert(books)
    answer = li.form("/monitor/cases/take", alert_id=number)
    case = int(answer.headers["location"].rsplit("/", 1)[1])
    assert form(li, case, "inquire", text="请说明", days=3).status_code == 303
    page = unit.page(f"/monitor/inquiries/{case}").text
    for label in ("答复内容", "附件", "提交答复", "请说明"):
        assert label in page
    sent = reply(unit, case, files=[PDF], text="属实")
    assert (sent.status_code, sent.headers["location"]) == (303, f"/monitor/inquiries/{case}")
    page = li.page(f"/monitor/cases/{case}").text
    assert "合同.pdf" in page
    assert form(li, case, "conclude", conclusion="violation", text="无依据").status_code == 303
    assert form(li, case, "order", text="退回资金", days=5).status_code == 303
    assert "报告整改" in unit.page(f"/monitor/inquiries/{case}").text
    assert reply(unit, case, move="report", revision=5, text="已退回").status_code == 303
    assert "须由他人结案" in li.page(f"/monitor/cases/{case}").text
    assert "结案说明" in wang.page(f"/monitor/cases/{case}").text
    assert form(wang, case, "close", text="已核实").status_code == 303
    page = wang.page(f"/monitor/cases/{case}").text
    assert "已结案" in page
    assert "结案说明" not in page


def test_what_is_wrong_is_said_beside_its_field(books, li) -> None:
    case = taken(li, alert(books))
    page = form(li, case, "inquire", text="  ", days=100)
    assert page.status_code == 422
    assert 'id="error-inquire-text"' in page.text
    assert 'id="error-inquire-days"' in page.text
    assert 'id="error-note-text"' not in page.text
    stale = li.form(f"/monitor/cases/{case}", move="note", revision=99, text="迟了")
    assert stale.status_code == 409
    assert "请重新读取" in stale.text
    assert "迟了" in stale.text
    unknown = form(li, case, "forgive", text="算了")
    assert unknown.status_code == 422
    assert li.form("/monitor/cases/999999", move="wake", revision=1).status_code == 404


def test_a_unit_reads_no_notes_and_gets_its_text_back(books, client, session, li, unit) -> None:
    case = taken(li, alert(books, disposal="warn_with_attachment"))
    assert unit.page(f"/monitor/inquiries/{case}").status_code == 404
    assert moved(li, case, "inquire", text="请附合同", days=3).status_code == 200
    assert moved(li, case, "note", text="疑似套现").status_code == 200
    assert "疑似套现" not in unit.page(f"/monitor/inquiries/{case}").text
    bare = reply(unit, case, revision=3, text="没有附件")
    assert bare.status_code == 422
    assert 'id="error-files"' in bare.text
    assert "没有附件</textarea>" in bare.text
    assert unit.page(f"/monitor/cases/{case}").status_code == 403
    other = Person(client, session("monitor.reply", divisions=["450100"], agencies=["101002"], actor="other"))
    assert other.page(f"/monitor/inquiries/{case}").status_code == 404
    assert f"/monitor/inquiries/{case}" in unit.page("/monitor/inquiries").text
    assert f"/monitor/inquiries/{case}" not in other.page("/monitor/inquiries").text
    assert unit.page("/monitor/inquiries?format=xlsx").content.startswith(b"PK")


def test_text_is_shown_as_text(books, li, unit) -> None:
    case = taken(li, alert(books))
    assert moved(li, case, "inquire", text="<script>1</script>\n第二行", days=3).status_code == 200
    answered(unit, case, text="<b>", files=[("<i>.pdf", PDF[1], "application/pdf")])
    for page in (li.page(f"/monitor/cases/{case}").text, unit.page(f"/monitor/inquiries/{case}").text):
        assert html.escape("<script>1</script>") in page
        assert "<script>1" not in page
        assert "<i>.pdf" not in page
        assert "<p>第二行</p>" in page


def test_worklists_are_personal_filtered_and_exported(books, li, wang) -> None:
    case = taken(li, alert(books, agency="101009"))
    mine = f"/monitor/cases/{case}"
    assert mine in li.page("/monitor/cases?agency_code=101009").text
    assert mine not in wang.page("/monitor/cases?agency_code=101009").text
    assert mine in wang.page("/monitor/cases?list=all&agency_code=101009&state=looking&sort=-id").text
    assert mine not in wang.page("/monitor/cases?list=all&agency_code=101009&state=closed").text
    moved(li, case, "inquire", text="请说明", days=3)
    assert mine in li.page("/monitor/cases?list=waiting&fiscal_year=2010&division=450100").text
    assert li.page("/monitor/cases?list=all&format=xlsx").content.startswith(b"PK")
    assert li.page("/monitor/cases?list=nonsense").status_code == 422


def test_who_may_only_read_gets_no_forms(books, client, session, li) -> None:
    case = taken(li, alert(books))
    reader = Person(client, session("monitor.read", divisions=["450100"], actor="reader"))
    page = reader.page(f"/monitor/cases/{case}").text
    assert "发出问询" not in page
    assert "/payment/payments/" not in page
    assert "领取下一件" not in reader.page("/monitor/cases").text
    assert reader.form("/monitor/cases/take-next").status_code == 403
    assert reader.form(f"/monitor/cases/{case}", move="note", revision=1, text="无权").status_code == 403
    assert reader.get(f"{API}/cases/{case}").status_code == 200
