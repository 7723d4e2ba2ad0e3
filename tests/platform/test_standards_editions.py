"""Editions over HTTP: drafted by one, published by another, and never changed after."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from jincai import limits
from jincai.auth.roles import PERMISSIONS
from jincai.standards import answers
from jincai.standards.code_file import read
from openpyxl import load_workbook

BASE = "/api/v1/standards"
EDITIONS = f"{BASE}/editions"
Header = dict[str, str]
As = Callable[[str], Header]
YEARS = iter(range(3000, 9000))


@pytest.fixture(scope="module")
def as_(session) -> As:
    """The header of a person who may draft (`maker…`), publish (`checker…`) or nothing (`reader`)."""
    may = {"maker": ("standards.draft",), "checker": ("standards.publish",), "both": tuple(PERMISSIONS)}
    tokens: dict[str, dict[str, str]] = {}

    def header(name: str) -> dict[str, str]:
        if name not in tokens:
            token = session(*may.get(name.rstrip("12"), ()), actor=name)
            tokens[name] = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        return tokens[name]

    return header


@pytest.fixture
def year() -> int:
    """A year that nobody has touched."""
    return next(YEARS)


def begin(client: TestClient, header: Header, year: int, base: str = "empty", note: str = "test") -> Response:
    return client.post(f"{EDITIONS}/{year}/draft", json={"base": base, "note": note}, headers=header)


def bring(client: TestClient, header: Header, year: int, text: str, **more: str) -> Response:
    asked = {"element": "exp_func", **more}
    return client.post(f"{EDITIONS}/{year}/draft/import", params=asked, content=text.encode(), headers=header)


def publish(client: TestClient, header: Header, year: int, number: int, revision: int) -> Response:
    return client.post(f"{EDITIONS}/{year}/{number}/publish", json={"revision": revision}, headers=header)


def codes(
    client: TestClient, header: Header, year: int, number: int, **more: object
) -> list[tuple[str, str]]:
    answer = client.get(f"{EDITIONS}/{year}/{number}/codes", params=more, headers=header)
    return [(one["code"], one["name"]) for one in answer.json()["items"]]


def test_the_shipped_editions_are_read_by_whoever_is_logged_in(client, as_) -> None:
    assert client.get(EDITIONS).status_code == 401
    found = client.get(EDITIONS, params={"fiscal_year": 2016}, headers=as_("reader")).json()
    assert [(one["number"], one["state"], one["in_force"]) for one in found["items"]] == [
        (1, "published", True)
    ]
    assert found["items"][0]["codes"] > 200
    assert codes(client, as_("reader"), 2016, 1, element="exp_func", q="2010301") == [("2010301", "行政运行")]
    assert codes(client, as_("reader"), 2016, 1, element="exp_func", q="小学") == [("2050202", "小学教育")]
    assert len(codes(client, as_("reader"), 2016, 1, parent="20502")) == 5
    assert client.get(f"{EDITIONS}/2016/9/codes", headers=as_("reader")).status_code == 404
    assert client.get(f"{EDITIONS}/2016/1/codes?colour=red", headers=as_("reader")).status_code == 422


def test_field_names_are_those_of_the_standard(client, as_) -> None:
    found = client.get(f"{BASE}/fields", headers=as_("reader")).json()
    assert {"field": "division", "standard": "AdmDivCode", "name": "行政区划代码"} in found
    assert client.get(f"{BASE}/fields?year=1990", headers=as_("reader")).json() == []


def test_from_draft_to_force(client, as_, year: int) -> None:
    maker, checker = as_("maker"), as_("checker")
    made = begin(client, maker, year)
    assert (made.status_code, made.json()["number"], made.json()["made_by"]) == (201, 1, "maker")
    done = bring(client, maker, year, "code,name,parent\n201,一般公共服务,\n20101,人大事务,201\n").json()
    assert (done["added"], done["changed"], done["removed"], done["revision"]) == (2, 0, 0, 2)
    published = publish(client, checker, year, 1, 2)
    assert (published.status_code, published.json()["published_by"]) == (200, "checker")
    assert publish(client, checker, year, 1, 2).status_code == 200
    assert publish(client, as_("checker2"), year, 1, 2).status_code == 409
    copied = begin(client, maker, year, "in_force").json()
    assert (copied["number"], copied["based_on"], copied["codes"]) == (2, 1, 2)
    done = bring(client, maker, year, "code,name\n201,新名\n203,国防\n").json()
    assert (done["added"], done["changed"], done["unchanged"]) == (1, 1, 0)
    assert codes(client, maker, year, 1) == [("201", "一般公共服务"), ("20101", "人大事务")]
    found = client.get(f"{EDITIONS}/{year}/2/diff", params={"against": 1}, headers=checker).json()
    assert (found["added"], found["removed"], found["changed"]) == (1, 0, 1)
    assert found["items"][0]["changes"] == [{"field": "name", "before": "一般公共服务", "after": "新名"}]
    assert [one["kind"] for one in found["items"]] == ["changed", "added"]


def test_the_same_file_again_changes_nothing(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    text = "code,name\n1,a\n2,b\n"
    first, again = (bring(client, as_("maker"), year, text, mode="replace").json() for _ in range(2))
    assert (first["added"], again["unchanged"], again["added"]) == (2, 2, 0)
    assert first["revision"] == again["revision"]


def test_replace_removes_what_the_file_does_not_hold_and_only_of_its_element(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,a\n2,b\n")
    bring(client, as_("maker"), year, "code,name\n1,一般\n", element="fund_type")
    done = bring(client, as_("maker"), year, "code,name\n2,c\n", mode="replace").json()
    assert (done["changed"], done["removed"]) == (1, 1)
    assert codes(client, as_("maker"), year, 1) == [("2", "c"), ("1", "一般")]


def test_a_file_with_a_mistake_changes_nothing_and_says_where_it_is(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    answer = bring(client, as_("maker"), year, "code,name,parent\n1,a,\n2,b,9\n3,,\n")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["error_count"], problem["errors"][0]["row"], problem["errors"][0]["column"]) == (
        1,
        4,
        "name",
    )
    problem = bring(client, as_("maker"), year, "code,name,parent\n1,a,\n2,b,9\n").json()
    assert [(one["sheet"], one["row"], one["column"], one["message"]) for one in problem["errors"]] == [
        ("exp_func", 3, "parent", "there is no code 9")
    ]
    assert codes(client, as_("maker"), year, 1) == []
    assert client.get(f"{EDITIONS}/{year}/1", headers=as_("maker")).json()["revision"] == 1


def test_agencies_are_in_divisions_of_the_year(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    text = "code,name,division\n101001,办公厅,{}\n"
    wrong = bring(client, as_("maker"), year, text.format("459999"), element="agency")
    assert [one["column"] for one in wrong.json()["errors"]] == ["division"]
    assert bring(client, as_("maker"), year, text.format("450100"), element="agency").status_code == 200


def test_whoever_made_or_changed_a_draft_does_not_publish_it(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("both"), year, "code,name\n1,a\n")
    refused = publish(client, as_("both"), year, 1, 2)
    assert (refused.status_code, "somebody else" in refused.text) == (403, True)
    assert publish(client, as_("maker"), year, 1, 2).status_code == 403
    assert begin(client, as_("checker"), year).status_code == 403
    assert bring(client, as_("checker"), year, "code,name\n1,a\n").status_code == 403
    assert publish(client, as_("checker"), year, 1, 2).status_code == 200


def test_what_changed_after_the_checker_looked_is_not_published(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,a\n")
    bring(client, as_("maker"), year, "code,name\n2,b\n")
    refused = publish(client, as_("checker"), year, 1, 2)
    assert (refused.status_code, "revision 3" in refused.text) == (409, True)
    assert publish(client, as_("checker"), year, 1, 3).status_code == 200


def test_an_empty_draft_is_not_published(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    assert publish(client, as_("checker"), year, 1, 1).status_code == 409
    assert publish(client, as_("checker"), year, 2, 1).status_code == 404


def test_one_draft_at_a_time(client, as_, year: int) -> None:
    assert begin(client, as_("maker"), year, "in_force").status_code == 409
    assert begin(client, as_("maker"), year).status_code == 201
    assert begin(client, as_("maker"), year).json()["number"] == 1
    refused = begin(client, as_("maker2"), year)
    assert (refused.status_code, "by maker" in refused.text) == (409, True)


def test_two_who_begin_at_once_get_one_draft(client, as_, year: int) -> None:
    people = [as_("maker1"), as_("maker2")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda header: begin(client, header, year).status_code, people))
    assert sorted(answers) == [201, 409]


def test_a_published_edition_takes_no_import(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,a\n")
    publish(client, as_("checker"), year, 1, 2)
    assert bring(client, as_("maker"), year, "code,name\n1,b\n").status_code == 404
    assert (
        client.post(
            f"{EDITIONS}/{year}/draft/discard", json={"reason": "x"}, headers=as_("maker")
        ).status_code
        == 404
    )


def test_a_code_is_deleted_unless_others_depend_on_it(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name,parent\n1,a,\n11,b,1\n")
    address = f"{EDITIONS}/{year}/draft/codes/exp_func"
    refused = client.delete(f"{address}/1", headers=as_("maker"))
    assert (refused.status_code, "such as 11" in refused.text) == (409, True)
    assert client.delete(f"{address}/11", headers=as_("checker")).status_code == 403
    assert client.delete(f"{address}/11", headers=as_("maker")).json() == {"revision": 3}
    assert client.delete(f"{address}/1", headers=as_("maker")).status_code == 200
    assert client.delete(f"{address}/1", headers=as_("maker")).status_code == 404


def test_a_mapped_account_stays(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name,kind,side\n5001,支出,expenditure,debit\n", element="account")
    bring(client, as_("maker"), year, "code,name,target\n5001,支出,501\n", element="account_map")
    address = f"{EDITIONS}/{year}/draft/codes"
    assert client.delete(f"{address}/account/5001", headers=as_("maker")).status_code == 409
    assert client.delete(f"{address}/account_map/5001", headers=as_("maker")).status_code == 200
    assert client.delete(f"{address}/account/5001", headers=as_("maker")).status_code == 200


def test_a_discarded_draft_is_gone_and_the_log_says_why(client, as_, year: int, database) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name,parent\n1,a,\n11,b,1\n")
    gone = client.post(f"{EDITIONS}/{year}/draft/discard", json={"reason": "重做"}, headers=as_("maker2"))
    assert gone.status_code == 204
    assert client.get(f"{EDITIONS}/{year}/1", headers=as_("maker")).status_code == 404
    with psycopg.connect(database.owner, autocommit=True) as cx:
        log = """
            SELECT action, by, detail ->> 'reason' FROM standards.edition_log
             WHERE fiscal_year = %s ORDER BY id
        """
        expected = [("created", "maker", None), ("imported", "maker", None), ("discarded", "maker2", "重做")]
        assert cx.execute(log, (year,)).fetchall() == expected
        with pytest.raises(psycopg.Error) as caught:
            cx.execute("DELETE FROM standards.edition_log")
        assert caught.value.sqlstate == "JC002"


def test_everybody_sees_what_was_done_to_an_edition(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,a\n")
    publish(client, as_("checker"), year, 1, 2)
    log = client.get(f"{EDITIONS}/{year}/1/log", headers=as_("reader")).json()
    told = [(one["action"], one["by"]) for one in log]
    assert told == [("published", "checker"), ("imported", "maker"), ("created", "maker")]
    assert log[1]["detail"]["elements"] == ["exp_func"]


@pytest.mark.parametrize("element", [None, "account", "exp_func"])
def test_what_is_exported_imports_as_the_same_edition(client, as_, year: int, element: str | None) -> None:
    asked = {"format": "csv" if element else "xlsx", **({"element": element} if element else {})}
    file = client.get(f"{EDITIONS}/2016/1/export", params=asked, headers=as_("reader"))
    assert file.headers["content-disposition"].startswith('attachment; filename="standards-2016-1')
    begin(client, as_("maker"), year)
    address = f"{EDITIONS}/{year}/draft/import"
    params = {"element": element} if element else {}
    done = client.post(address, params=params, content=file.content, headers=as_("maker"))
    assert done.json()["added"] == sum(map(len, read(file.content, element, "utf-8")[0].values()))
    against = {"against": 1, "against_year": 2016, **params}
    same = client.get(f"{EDITIONS}/{year}/1/diff", params=against, headers=as_("reader")).json()
    assert same["total"] == 0


def test_an_export_runs_nothing_in_excel(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,'=1+1\n")
    assert codes(client, as_("maker"), year, 1) == [("1", "=1+1")]
    address = f"{EDITIONS}/{year}/1/export"
    book = client.get(address, headers=as_("reader")).content
    assert load_workbook(io.BytesIO(book))["exp_func"]["B2"].data_type == "s"
    text = client.get(address, params={"format": "csv", "element": "exp_func"}, headers=as_("reader")).text
    assert "1,'=1+1," in text
    assert client.get(address, params={"format": "csv"}, headers=as_("reader")).status_code == 422


def test_a_file_is_bounded(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    assert bring(client, as_("maker"), year, "x" * (10 * 1024 * 1024 + 1)).status_code == 413
    assert bring(client, as_("maker"), year, "x" * (limits.FILE_BYTES + 1)).status_code == 413
    assert bring(client, as_("maker"), year, "code,name\n" + "1,a\n" * 2_000_000).status_code == 422


def test_only_so_many_files_are_read_at_once(client, as_, year: int, monkeypatch) -> None:
    begin(client, as_("maker"), year)
    with monkeypatch.context() as patched:
        patched.setattr(answers, "_READING", threading.BoundedSemaphore(1))
        with answers._READING:
            refused = bring(client, as_("maker"), year, "code,name\n1,a\n")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert bring(client, as_("maker"), year, "!").status_code == 422
        assert bring(client, as_("maker"), year, "code,name\n1,a\n").status_code == 200


def test_gbk_is_taken_if_it_is_said(client, as_, year: int) -> None:
    begin(client, as_("maker"), year)
    address = f"{EDITIONS}/{year}/draft/import"
    content = "code,name\n1,行政运行\n".encode("gbk")
    params = {"element": "exp_func"}
    refused = client.post(address, params=params, content=content, headers=as_("maker"))
    assert (refused.json()["errors"][0]["row"], "gb18030" in refused.text) == (2, True)
    params["encoding"] = "gb18030"
    assert client.post(address, params=params, content=content, headers=as_("maker")).status_code == 200
    assert codes(client, as_("maker"), year, 1) == [("1", "行政运行")]


@contextmanager
def _locked(url: str, year: int) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url) as cx:
        cx.execute("SELECT FROM standards.edition WHERE fiscal_year = %s FOR NO KEY UPDATE", (year,))
        yield cx


def test_an_import_waits_for_a_publication_and_then_finds_no_draft(client, as_, year: int, database) -> None:
    begin(client, as_("maker"), year)
    bring(client, as_("maker"), year, "code,name\n1,a\n")
    with ThreadPoolExecutor(1) as pool, _locked(database.owner, year) as cx:
        waiting = pool.submit(bring, client, as_("maker"), year, "code,name\n2,b\n")
        cx.execute("SELECT pg_sleep(0.3)")
        cx.execute(
            """
            UPDATE standards.edition SET state = 'published', published_by = 'checker', published_at = now()
             WHERE fiscal_year = %s
            """,
            (year,),
        )
        cx.commit()
        assert waiting.result().status_code == 404
    assert codes(client, as_("maker"), year, 1) == [("1", "a")]
