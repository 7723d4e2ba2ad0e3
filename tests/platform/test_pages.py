import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

PAGES = ["/", "/standards/divisions", "/standards/divisions?parent=450100", "/budget/indicators"]


class Links(HTMLParser):
    """What a page refers to: the values of src, href and action."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href", "action"} and value]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_comes_from_elsewhere(clerk: TestClient, path: str) -> None:
    answer = clerk.get(path)
    links = Links(answer.text).found
    assert links
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for link in {link for link in links if link.startswith("/static/")}:
        assert clerk.get(link).status_code == 200


def test_every_link_on_the_overview_leads_somewhere(clerk: TestClient) -> None:
    links = {link for link in Links(clerk.get("/").text).found if link.startswith("/")} - {"/logout"}
    assert {link: clerk.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    clerk.get("/?lang=zh")


def test_the_overview_names_release_systems_and_health(database, serving) -> None:
    with serving(database.app, release="2026.1", release_serial=7) as client:
        text = client.get("/").text
    for expected in ("2026.1", "序号 7", "部门预算管理", "jincai-payment", "正常", "PostgreSQL"):
        assert expected in text


def test_chinese_unless_english_is_chosen_and_then_remembered(clerk: TestClient) -> None:
    assert '<html lang="zh-CN">' in clerk.get("/", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in clerk.get("/?lang=en").text
    assert "Administrative divisions" in clerk.get("/standards/divisions").text
    assert "行政区划" in clerk.get("/standards/divisions?lang=zh").text


def test_the_language_switch_keeps_the_place(clerk: TestClient) -> None:
    text = clerk.get("/standards/divisions?parent=450100&year=2020").text
    assert "/standards/divisions?parent=450100&amp;year=2020&amp;lang=en" in text


def test_divisions_are_browsed_from_the_top(clerk: TestClient) -> None:
    text = clerk.get("/standards/divisions?parent=450000").text
    assert "共 <strong>14</strong> 个区划" in text
    assert re.search(r'href="/standards/divisions\?parent=450100&amp;year=\d+">南宁市', text)


def test_a_form_with_blanks_finds_everything(clerk: TestClient) -> None:
    answer = clerk.get("/standards/divisions?q=&parent=&level=&year=2020")
    assert answer.status_code == 200
    assert "<strong>156</strong>" in answer.text


def test_pages_turn(clerk: TestClient) -> None:
    first = clerk.get("/standards/divisions?year=2020").text
    assert 'rel="next" href="/standards/divisions?year=2020&amp;offset=50"' in first
    assert 'rel="prev"' not in first
    last = clerk.get("/standards/divisions?year=2020&offset=150").text
    assert 'rel="prev" href="/standards/divisions?year=2020&amp;offset=100"' in last
    assert 'rel="next"' not in last


def test_no_match_says_what_to_do(clerk: TestClient) -> None:
    assert "请减少条件" in clerk.get("/standards/divisions?q=不存在").text
