"""Statistics of alerts: every table says the same sum, and leads to the alerts it counts."""

import html
import io
import json
import re

import psycopg
import pytest
from openpyxl import load_workbook

from tests.platform.monitor_rows import alert, make_rules
from tests.platform.posting import shown, token_for_all

PAGE = "/monitor/statistics"


@pytest.fixture(scope="module", autouse=True)
def made(database) -> None:
    with psycopg.connect(database.owner, autocommit=True) as cx:
        make_rules(cx)
    with shown(database.app, token_for_all(database.owner)) as cx:
        for number, (level, division) in enumerate(
            [("red", "450100"), ("orange", "450102"), ("orange", "450200"), ("yellow", "450200")]
        ):
            for month in (1, 2):
                alert(cx, level=level, division=division, as_of=f"2016-0{month}-28", amount=1_000_000)
                alert(cx, level=level, division=division, rule="R10", agency_code=f"20{number}001")
        alert(cx, shadow=True)


def charts(page: str) -> list[dict[str, object]]:
    return [json.loads(html.unescape(one)) for one in re.findall(r'data-chart="([^"]*)"', page)]


def test_every_chart_says_the_same_sum(clerk) -> None:
    page = clerk.get(PAGE).text
    found = charts(page)
    assert [one["names"] for one in found[:3]] == [
        ["2016-01", "2016-02", "2016-03"],
        ["R10 重复支付", "R4 拆分支付"],
        ["南宁市", "柳州市"],
    ]
    for one in found:
        levels = {series["level"]: sum(series["data"]) for series in one["series"]}
        assert levels == {"red": 4, "orange": 8, "yellow": 4}, one["names"]
    # Each chart has its table, which needs no script.
    assert page.count("<table>") == len(found) == 4
    assert "<script>" not in page


def test_conditions_and_where_lines_lead(clerk) -> None:
    city = clerk.get(f"{PAGE}?division=450100").text
    assert charts(city)[2]["names"] == ["南宁市", "兴宁区"]
    assert '<p class="figure">8</p>' in city
    county = clerk.get(f"{PAGE}?division=450102&rule=R4").text
    assert '<p class="figure">2</p>' in county
    assert "没有符合条件" in clerk.get(f"{PAGE}?fiscal_year=2015").text
    assert '<p class="figure">4</p>' in clerk.get(f"{PAGE}?date_from=2016-02-01&date_to=2016-02-29").text
    for page in (city, county, clerk.get(PAGE).text):
        found = re.findall(r'href="(/monitor/[a-z]+\?[^"]*)"', page)
        links = {html.unescape(one) for one in found if "lang=" not in one}
        assert links
        for link in links:
            answer = clerk.get(link)
            assert answer.status_code == 200, link
            assert "没有符合条件" not in answer.text, link
    assert clerk.get(f"{PAGE}?division=1").status_code == 422


def test_a_month_leads_to_just_its_alerts(clerk) -> None:
    page = clerk.get("/monitor/alerts?date_from=2016-01-01&date_to=2016-01-31").text
    assert page.count("data-id=") == 4
    assert "date_from=2016-01-01&amp;date_to=2016-01-31" in clerk.get(PAGE).text


def test_excel_has_a_sheet_for_each(clerk) -> None:
    book = load_workbook(io.BytesIO(clerk.get(f"{PAGE}/export?rule=R4").content))
    assert book.sheetnames == ["按月份", "按规则", "按地区", "按单位"]
    assert [cell.value for cell in book["按规则"][2]] == ["R4", "拆分支付", 2, 4, 2, 8, 80_000]


def test_others_see_their_own(client, session) -> None:
    headers = {"Authorization": f"Bearer {session('monitor.read', divisions=['450200'])}"}
    page = client.get(PAGE, headers=headers).text
    assert charts(page)[2]["names"] == ["柳州市"]
    assert '<p class="figure">8</p>' in page
