"""规则工作台: pages on which rules are read, written, tried and published."""

import re

import pytest
from httpx import Response

from tests.platform.desk import Person
from tests.platform.rule_texts import RULES, begun, new_id, publish, text

PAGES = "/monitor/rules"


@pytest.fixture(scope="module")
def maker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_draft", actor="maker"))


@pytest.fixture(scope="module")
def checker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_publish", actor="checker"))


@pytest.fixture(scope="module")
def reader(client, session) -> Person:
    return Person(client, session("monitor.read", actor="reader"))


@pytest.fixture
def rule(maker, checker) -> str:
    """A rule in force."""
    draft = begun(maker, new_id())
    assert publish(checker, draft).status_code == 200
    return str(draft["rule"])


def plain(answer: Response) -> str:
    """What a person reads, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_a_rule_goes_from_draft_to_force_by_hand(maker, checker, reader) -> None:
    rule = new_id()
    page = f"{PAGES}/{rule}"
    assert "新建规则" not in reader.page(PAGES).text
    assert "新建规则" in maker.page(PAGES).text
    begun_at = maker.form(PAGES, rule=rule)
    assert (begun_at.status_code, begun_at.headers["location"]) == (303, f"{page}/draft")
    assert "形式与表达式正确" in maker.page(f"{page}/draft").text

    wrong = maker.form(f"{page}/draft/save", revision=1, source=text(rule, when="colour > 1"), step="save")
    assert (wrong.status_code, wrong.headers["location"]) == (303, f"{page}/draft")
    shown = maker.page(f"{page}/draft").text
    assert "colour" in shown
    assert re.search(r"<b>\d+</b>", shown), "the line of the mistake is marked"

    right = maker.form(f"{page}/draft/save", revision=2, source=text(rule), step="try")
    assert right.headers["location"] == f"{page}/draft/try"
    tried = plain(maker.page(f"{page}/draft/try"))
    assert "达到限额 触发 触发 正确" in tried
    assert "低于限额 不触发 不触发 正确" in tried

    assert "发布第3次修订" not in maker.page(f"{page}/draft").text
    assert "发布第3次修订" in checker.page(f"{page}/draft").text
    assert 'name="source"' not in checker.page(f"{page}/draft").text
    blank = checker.form(f"{page}/draft/publish", version=1, revision=3, how="live", reason=" ")
    assert blank.status_code == 422
    done = checker.form(f"{page}/draft/publish", version=1, revision=3, how="live", reason="上线")
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert "正式执行:第1版" in reader.page(page).text
    assert maker.page(f"{page}/draft").status_code == 404


def test_an_example_that_is_wrong_is_seen(maker) -> None:
    draft = begun(maker, new_id(), None)
    rule = str(draft["rule"])
    maker.form(f"{PAGES}/{rule}/draft/save", revision=1, source=text(rule, when="amount > least"))
    assert "达到限额 触发 不触发 不符" in plain(maker.page(f"{PAGES}/{rule}/draft/try"))


def test_the_list_says_where_each_rule_stands(maker, reader, rule) -> None:
    begun(maker, rule, text(rule, least=1))
    (row,) = re.findall(rf'<tr>\s*<td><a href="{PAGES}/{rule}">.*?</tr>', reader.page(PAGES).text, re.DOTALL)
    cells = [
        re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
    ]
    assert cells == [rule, "大额支付", "支付", "事中", "黄", "预警(无需附件)", "第1版", "—", "第2版"]
    english = reader.page(f"{PAGES}?lang=en").text
    assert "Large payment" in english
    reader.page(f"{PAGES}?lang=zh")


def test_a_rule_in_plain_words(reader, rule) -> None:
    shown = plain(reader.page(f"{PAGES}/{rule}"))
    for word in (
        "大额支付须关注。",
        "试行办法第一条",
        "amount &gt;= least",
        "限额 一般 50,000.00 元",
        "区划 450100 · 2010年度",
    ):
        assert word in shown, word
    assert f'href="{PAGES}/{rule}/back-tests"' in reader.page(f"{PAGES}/{rule}").text
    assert "改变执行" not in shown


def test_versions_and_their_difference(maker, checker, reader, rule) -> None:
    publish(checker, begun(maker, rule, text(rule, least=7_000_000)))
    shown = reader.page(f"{PAGES}/{rule}/versions/2").text
    assert "<del>-     value: 5000000</del>" in shown
    assert "<ins>+     value: 7000000</ins>" in shown
    assert "checker" in shown
    assert "没有差异" in reader.page(f"{PAGES}/{rule}/versions/2?against=2").text
    assert reader.page(f"{PAGES}/{rule}/versions/2?against=9").status_code == 404
    assert reader.page(f"{PAGES}/{rule}/versions/1").status_code == 200


def test_a_checker_changes_what_is_in_force(maker, checker, reader, rule) -> None:
    publish(checker, begun(maker, rule, text(rule, least=1)), shadow=True)
    page = f"{PAGES}/{rule}"
    shown = checker.page(page).text
    assert "试运行:第2版" in shown
    for step in ("live:2", "end_shadow", "withdraw"):
        assert f'value="{step}"' in shown
    assert "shadow:1" not in shown
    assert 'value="withdraw"' not in reader.page(page).text
    assert reader.form(f"{page}/force", step="withdraw", reason="x").status_code == 403
    missing = checker.form(f"{page}/force", step="live:2")
    assert (missing.status_code, 'id="error-reason"' in missing.text) == (422, True)
    assert checker.form(f"{page}/force", step="live:2", reason="合格").status_code == 303
    assert "正式执行:第2版" in reader.page(page).text
    again = checker.form(f"{page}/force", step="live:2", reason="合格")
    assert (again.status_code, "没有改变" in again.text) == (422, True)
    assert checker.form(f"{page}/force", step="withdraw", reason="废止").status_code == 303
    assert "未执行" in reader.page(page).text
    history = [
        (one["live"], one["shadow"], one["reason"]) for one in reader.get(f"{RULES}/{rule}").json()["steps"]
    ]
    assert history == [(None, None, "废止"), (2, None, "合格"), (1, 2, "试行"), (1, None, "试行")]
    assert "checker 第2版 — 合格" in plain(reader.page(page))
    assert checker.form(f"{page}/force", step="explode", reason="x").status_code == 422


def test_who_wrote_it_sees_why_they_cannot_publish(client, session) -> None:
    both = Person(client, session("monitor.read", "monitor.rule_draft", "monitor.rule_publish", actor="both"))
    draft = begun(both, new_id())
    shown = both.page(f"{PAGES}/{draft['rule']}/draft").text
    assert "请由他人发布" in shown
    assert "发布第1次修订" not in shown
    path = f"{PAGES}/{draft['rule']}/draft/publish"
    answer = both.form(path, version=1, revision=1, how="live", reason="x")
    assert (answer.status_code, "请由他人发布" in answer.text) == (403, True)


def test_what_somebody_wrote_is_not_lost_when_it_cannot_be_saved(maker) -> None:
    rule = new_id()
    begun(maker, rule)
    path = f"{PAGES}/{rule}/draft/save"
    assert maker.form(path, revision=1, source=text(rule, least=1)).status_code == 303
    stale = maker.form(path, revision=1, source=text(rule, least=987_654))
    assert (stale.status_code, "第2次修订" in stale.text, "987654" in stale.text) == (409, True, True)
    assert 'name="revision" value="1"' in stale.text
    huge = maker.form(path, revision=2, source="规" * 30_000)
    assert (huge.status_code, "最多65536字节" in huge.text) == (422, True)


def test_a_text_is_shown_as_it_is_and_never_as_markup(maker, reader) -> None:
    rule = new_id()
    begun(maker, rule, text(rule).replace("大额支付", "<script>alert(1)</script>"))
    for page in (PAGES, f"{PAGES}/{rule}", f"{PAGES}/{rule}/draft", f"{PAGES}/{rule}/versions/1"):
        shown = reader.page(page).text
        assert "<script>" not in shown
        assert "&lt;script&gt;" in shown


def test_giving_a_draft_up(maker, reader) -> None:
    rule = new_id()
    begun(maker, rule)
    assert maker.form(f"{PAGES}/{rule}/draft/discard", revision=7).status_code == 409
    gone = maker.form(f"{PAGES}/{rule}/draft/discard", revision=1)
    assert (gone.status_code, gone.headers["location"]) == (303, f"{PAGES}/{rule}")
    assert "已撤销" in reader.page(f"{PAGES}/{rule}").text
    assert maker.get(f"{RULES}/{rule}").json()["versions"][0]["state"] == "discarded"


def test_who_may_see_nothing(client, session) -> None:
    stranger = Person(client, session("payment.read"))
    for page in (PAGES, f"{PAGES}/R1", f"{PAGES}/R1/draft", f"{PAGES}/R1/versions/1"):
        assert stranger.page(page).status_code == 403
    assert stranger.form(PAGES, rule="R1").status_code == 403


def test_every_page_in_english(maker, checker, rule) -> None:
    begun(maker, rule, text(rule, when="colour > 1"))
    page = f"{PAGES}/{rule}"
    for person in (maker, checker):
        for path in (PAGES, page, f"{page}/draft", f"{page}/draft/try", f"{page}/versions/2"):
            shown = person.page(f"{path}?lang=en")
            assert shown.status_code == 200
            assert '<html lang="en">' in shown.text
            # What is left in Chinese is what people wrote, and the other language's name.
            titles = re.findall(r"<(?:h1|h2|th scope=\"col\"|button)[^>]*>(.*?)</", shown.text)
            assert not re.search(r"[\u4e00-\u9fff]", "".join(titles)), path
        person.page(f"{PAGES}?lang=zh")
