"""Alerts as people and programs see them: the list, one with its rule, Excel, the API."""

import io

import psycopg
import pytest
from openpyxl import load_workbook

from tests.platform.monitor_rows import alert, make_rules
from tests.platform.posting import shown, token_for_all

LIST = "/monitor/alerts"
API = "/api/v1/monitor/alerts"


@pytest.fixture(scope="module", autouse=True)
def made(database) -> dict[str, int]:
    with psycopg.connect(database.owner, autocommit=True) as cx:
        make_rules(cx)
    with shown(database.app, token_for_all(database.owner)) as cx:
        return {
            "orange": alert(cx, subject_id=71),
            "red": alert(cx, subject_id=71, rule="R2", level="red", as_of="2016-04-01", amount=5_000_000),
            "held": alert(
                cx, subject="held", stage="before", disposal="hold", agency_code="205001", level="yellow"
            ),
            "county": alert(cx, division="450102", fiscal_year=2015, as_of="2015-12-30", rule="R10"),
            "unknown": alert(cx, rule="R99", agency_code="x<b>"),
            "shadow": alert(cx, shadow=True, level="red", rule="R4"),
        }


def ids(clerk, query: str) -> list[int]:
    return [one["id"] for one in clerk.get(f"{API}?{query}").json()["items"]]


def test_newest_first_and_none_that_is_on_trial(clerk, made) -> None:
    every = [made[name] for name in ("unknown", "county", "held", "red", "orange")]
    assert ids(clerk, "") == every
    page = clerk.get(LIST).text
    places = [page.index(f'data-id="{one}"') for one in every]
    assert places == sorted(places)
    assert f'data-id="{made["shadow"]}"' not in page
    assert "R4 拆分支付" in page
    assert "南宁市" in page
    assert "x&lt;b&gt;" in page
    assert 'data-stream="/monitor/alerts/stream?after=' in page
    assert "Split payments" in clerk.get(f"{LIST}?lang=en").text
    clerk.get(f"{LIST}?lang=zh")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("level=red", ["red"]),
        ("rule=R10", ["county"]),
        ("stage=before", ["held"]),
        ("disposal=hold", ["held"]),
        ("division=450102", ["county"]),
        ("fiscal_year=2015", ["county"]),
        ("agency_code=205001", ["held"]),
        ("date_from=2016-03-06", ["red"]),
        ("date_to=2015-12-30", ["county"]),
        ("level=red&stage=before", []),
    ],
)
def test_conditions(clerk, made, query: str, expected: list[str]) -> None:
    assert ids(clerk, query) == [made[one] for one in expected]
    page = clerk.get(f"{LIST}?{query}").text
    assert page.count("data-id=") == len(expected)
    assert ("没有符合条件的预警" in page) == (not expected)


def test_sorted_by_how_bad_they_are(clerk, made) -> None:
    page = clerk.get(f"{LIST}?sort=-severity").text
    assert page.index(f'data-id="{made["red"]}"') < page.index(f'data-id="{made["orange"]}"')
    assert page.index(f'data-id="{made["orange"]}"') < page.index(f'data-id="{made["held"]}"')
    # New ones do not belong at the top of such a list: they are only counted.
    assert "data-insert" not in page
    assert "data-insert" in clerk.get(LIST).text


@pytest.mark.parametrize("wrong", ["level=blue", "rule[]=1", "sort=shadow", "division=45", "nonsense=1"])
def test_what_is_not_known_is_refused(clerk, wrong: str) -> None:
    assert clerk.get(f"{LIST}?{wrong}").status_code == 422
    assert clerk.get(f"{API}?{wrong}").status_code == 422


def test_excel(clerk, made) -> None:
    answer = clerk.get(f"{LIST}?level=red&format=xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    heading, row = ([cell.value for cell in cells] for cells in sheet.iter_rows())
    found = dict(zip(heading, row, strict=True))
    assert found["预警号"] == made["red"]
    assert (found["级别"], found["规则名称"], found["金额(元)"]) == ("红色", "大额提现", 50_000)
    assert found["区划名称"] == "南宁市"


def test_one_says_why_by_what_law_and_where(clerk, made) -> None:
    page = clerk.get(f"{LIST}/{made['orange']}").text
    for text in (
        "拆分支付规避审批,应当合并审查。",
        "财政国库管理制度改革试点方案",
        "amount &lt; split_limit",
        "50,000.00 元",
        "税款",
        "checker · 2016-01-01 08:00",
        'href="/payment/payments/71"',
        "同一对象的其他预警",
        f'data-id="{made["red"]}"',
        'action="/monitor/cases/take"',
        f'name="alert_id" value="{made["orange"]}"',
    ):
        assert text in page, text
    assert "/payment/held/" in clerk.get(f"{LIST}/{made['held']}").text
    assert "没有这一版规则的原文" in clerk.get(f"{LIST}/{made['unknown']}").text
    whole = clerk.get(f"{API}/{made['orange']}").json()
    assert whole["rule"]["when"] == "amount < split_limit"
    assert [one["id"] for one in whole["others"]] == [made["red"]]


def test_only_who_works_on_them_is_offered_to(client, session, made) -> None:
    headers = {"Authorization": f"Bearer {session('monitor.read', divisions=['450100'])}"}
    page = client.get(f"{LIST}/{made['orange']}", headers=headers)
    assert page.status_code == 200
    assert "/monitor/cases/take" not in page.text
    assert client.get(f"{LIST}/{made['county']}", headers=headers).status_code == 404
    assert "450102" not in client.get(LIST, headers=headers).text
    answer = client.get(f"{API}/{made['shadow']}", headers=headers)
    assert answer.status_code == 404
    assert str(made["shadow"]) in answer.json()["detail"]
    unit = {"Authorization": f"Bearer {session('monitor.read', divisions=['450100'], agencies=['205001'])}"}
    assert [one["id"] for one in client.get(API, headers=unit).json()["items"]] == [made["held"]]


def test_what_the_page_loads_is_there_and_may_run(clerk) -> None:
    policy = clerk.get(LIST).headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self';" in policy
    assert "unsafe" not in policy
    for name in ("alerts.js", "charts.js", "monitor.css", "vendor/echarts/echarts.common.min.js"):
        assert clerk.get(f"/static/{name}").status_code == 200
