"""Pages of the editions: read by everybody, drafts prepared by one, published by another."""

import io

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from jincai.standards.code_file import write_xlsx
from jincai.standards.code_rows import CodeRow

EDITIONS = "/standards/editions"
YEARS = iter(range(3000, 9000))


@pytest.fixture(scope="module")
def people(database, serving, session):
    """Makes clients of a maker, a checker and somebody who only reads."""
    may = {"maker": ("standards.draft",), "checker": ("standards.publish",), "reader": ()}
    with serving(database.app, auth_database_url=database.auth) as client:
        tokens = {name: session(*permissions, actor=name) for name, permissions in may.items()}

        def ask(name: str, method: str, path: str, **more: object) -> Response:
            headers = {"Authorization": f"Bearer {tokens[name]}", "Accept": "text/html"}
            return client.request(method, path, headers=headers, follow_redirects=False, **more)

        yield ask


@pytest.fixture
def year(people) -> int:
    """A year with an empty draft."""
    year = next(YEARS)
    made = people("maker", "POST", EDITIONS, data={"year": year, "base": "empty", "note": "试"})
    assert (made.status_code, made.headers["location"]) == (303, f"{EDITIONS}/{year}/draft")
    return year


def _bring(people, year: int, content: bytes, name: str = "a.csv", **more: str) -> Response:
    data = {"mode": "merge", "element": "exp_func", "encoding": "utf-8", **more}
    files = {"file": (name, io.BytesIO(content))}
    return people("maker", "POST", f"{EDITIONS}/{year}/draft/import", data=data, files=files)


def test_everybody_logged_in_reads_and_nobody_else(people, client: TestClient) -> None:
    away = client.get(EDITIONS, headers={"Accept": "text/html"}, follow_redirects=False)
    assert away.headers["location"] == "/login?next=%2Fstandards%2Feditions"
    text = people("reader", "GET", EDITIONS).text
    assert "执行中" in text
    assert "新建草案" not in text
    assert 'href="/standards/editions/2016/1"' in text
    found = people("reader", "GET", f"{EDITIONS}/2016/1?element=exp_func&q=小学&parent=").text
    assert "2050202" in found
    assert "2010301" not in found
    assert people("reader", "GET", f"{EDITIONS}/2016/7").status_code == 404
    assert people("reader", "GET", f"{EDITIONS}/2016/1?lang=en").status_code == 200


def test_an_accounts_attributes_are_shown_in_words(people) -> None:
    text = people("reader", "GET", f"{EDITIONS}/2016/1?element=account&lang=zh").text
    assert "<td>资产</td><td>借</td>" in text.replace("\n", "").replace("  ", "")


def test_codes_turn_pages(people) -> None:
    text = people("reader", "GET", f"{EDITIONS}/2016/1").text
    assert 'rel="next" href="/standards/editions/2016/1?offset=50"' in text


def test_from_draft_to_force(people, year: int) -> None:
    answer = _bring(people, year, "code,name,parent\n201,一般公共服务,\n20101,人大事务,201\n".encode())
    assert answer.status_code == 303
    assert "新增 2" in people("maker", "GET", answer.headers["location"]).text
    page = f"{EDITIONS}/{year}/1/diff"
    assert "发布第2次修订" in people("checker", "GET", page).text
    assert "发布第2次修订" not in people("maker", "GET", page).text
    publish = f"{EDITIONS}/{year}/1/publish"
    assert people("maker", "POST", publish, data={"revision": 2}).status_code == 403
    assert people("checker", "POST", publish, data={"revision": 1}).status_code == 409
    done = people("checker", "POST", publish, data={"revision": 2})
    assert (done.status_code, done.headers["location"]) == (303, f"{EDITIONS}/{year}/1")
    text = people("reader", "GET", done.headers["location"]).text
    assert "执行中" in text
    assert "新增: 2" in text
    people("maker", "POST", EDITIONS, data={"year": year, "base": "in_force", "note": "改"})
    assert _bring(people, year, "code,name\n201,新名\n".encode()).status_code == 303
    text = people("checker", "GET", f"{EDITIONS}/{year}/2/diff").text
    assert "<del>一般公共服务</del> → <ins>新名</ins>" in text


def test_a_workbook_is_taken(people, year: int) -> None:
    made = write_xlsx({"fund_type": [CodeRow(2, "1", "=一般")], "set_mode": [CodeRow(2, "1", "转账")]})
    assert _bring(people, year, made, "a.xlsx", element="").status_code == 303
    assert "=一般" in people("reader", "GET", f"{EDITIONS}/{year}/1").text


def test_mistakes_of_a_file_stand_in_a_table(people, year: int) -> None:
    answer = _bring(people, year, ("code,name\n" + "!,<b>\n" * 300).encode())
    assert answer.status_code == 422
    assert "300 处错误" in answer.text
    assert "前 200 处" in answer.text
    assert answer.text.count("应为字母数字开头的代码") == 200
    assert "<b>" not in answer.text
    assert people("reader", "GET", f"/api/v1{EDITIONS}/{year}/1").json()["codes"] == 0


def test_a_form_without_a_file_says_so(people, year: int) -> None:
    answer = _bring(people, year, b"")
    assert (answer.status_code, "请选择文件" in answer.text) == (422, True)
    assert _bring(people, year, b"code,name\n1,a\n", mode="all").status_code == 422
    assert (
        people("maker", "POST", f"{EDITIONS}/{year}/draft/import", data={"mode": "merge"}).status_code == 400
    )
    assert _bring(people, year, b"x" * (10 * 1024 * 1024 + 1)).status_code == 422
    assert _bring(people, year, b"x" * (11 * 1024 * 1024)).status_code == 413


def test_codes_are_deleted_and_a_draft_discarded(people, year: int) -> None:
    _bring(people, year, b"code,name,parent\n1,a,\n11,b,1\n")
    draft = f"{EDITIONS}/{year}/draft"
    refused = people("maker", "POST", f"{draft}/delete", data={"element": "exp_func", "code": "1"})
    assert (refused.status_code, "请先删除" in refused.text) == (422, True)
    assert (
        people("maker", "POST", f"{draft}/delete", data={"element": "exp_func", "code": "11"}).status_code
        == 303
    )
    assert people("maker", "POST", f"{draft}/discard", data={}).status_code == 422
    assert people("checker", "POST", f"{draft}/discard", data={"reason": "x"}).status_code == 403
    assert people("maker", "POST", f"{draft}/discard", data={"reason": "重做"}).status_code == 303
    assert people("maker", "GET", draft).status_code == 404


def test_a_second_draft_is_refused_on_the_form(people, year: int) -> None:
    answer = people("maker", "POST", EDITIONS, data={"year": year, "base": "empty", "note": "再"})
    assert (answer.status_code, "已有草案" in answer.text) == (422, True)
    answer = people("maker", "POST", EDITIONS, data={"year": "x", "base": "empty"})
    assert (answer.status_code, answer.text.count('role="alert"')) == (422, 2)


def test_in_english_too(people, year: int) -> None:
    for path in (f"{year}/draft", f"{year}/1", f"{year}/1/diff"):
        assert "Edition 1 of" in people("maker", "GET", f"{EDITIONS}/{path}?lang=en").text
