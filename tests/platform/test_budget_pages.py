"""The pages of the budget: what each person is offered, and that the forms do what the API does."""

import re

import pytest
from httpx import Response

from tests.platform.budgeting import DIVISION, YEAR, Office, line, new_key, publish

HTML = {"Accept": "text/html"}
FORM_LINE = {
    "bgt_type_code": "1",
    "fund_type_code": "1",
    "exp_func_code": "2010301",
    "dep_exp_eco_code": "30201",
    "amount": "1,234.56",
    "summary": "办公费",
}


@pytest.fixture(scope="module", autouse=True)
def _edition(database) -> None:
    publish(database.owner, YEAR, YEAR + 1)


@pytest.fixture
def office(client, session) -> Office:
    return Office(client, session)


def page(office: Office, who: str, path: str, status: int = 200, **params: object) -> str:
    answer = office.client.get(f"/budget{path}", params=params, headers=office.headers(who) | HTML)
    assert answer.status_code == status, answer.text
    return answer.text


def send(office: Office, who: str, path: str, **fields: object) -> Response:
    return office.client.post(
        f"/budget{path}", data=fields, headers=office.headers(who) | HTML, follow_redirects=False
    )


def seen(text: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', text)
    assert found
    return found[1]


def test_the_whole_procedure_by_forms(office: Office) -> None:
    assert office.agency in page(office, "unit", "/proposals/new")
    made = send(
        office, "unit", "/proposals/new", fiscal_year=YEAR, division=DIVISION, agency_code=office.agency
    )
    assert made.status_code == 303
    here = made.headers["location"].removeprefix("/budget")
    assert "还没有明细" in page(office, "unit", here)
    assert "示例2010301" in page(office, "unit", f"{here}/lines/first/new")
    assert send(office, "unit", f"{here}/lines/first/new", **FORM_LINE).status_code == 303
    text = page(office, "unit", here)
    assert "1,234.56" in text
    assert "一上申报" in text
    assert send(office, "unit", f"{here}/submit", seen=seen(text)).status_code == 303

    assert "一上已申报" in page(office, "maker", "/inbox")
    text = page(office, "maker", here)
    edit = re.search(rf'href="/budget({here}/lines/control/\d+)"', text)
    assert edit
    assert 'value="1,234.56"' in page(office, "maker", edit[1])
    assert send(office, "maker", edit[1], **FORM_LINE | {"amount": "1,000"}).status_code == 303
    assert send(office, "maker", f"{here}/issue", seen=seen(text)).status_code == 303

    text = page(office, "unit", here)
    assert "-234.56<br>-19.00%" in text
    assert "二上申报" in text
    assert send(office, "unit", f"{here}/submit", seen=seen(text)).status_code == 303

    text = page(office, "checker", here)
    level = re.search(r'name="(level_\d+)"', text)
    assert level
    approved = send(
        office, "checker", f"{here}/approve", seen=seen(text), control_level="2", **{level[1]: "1"}
    )
    assert approved.status_code == 303
    (made_of_it,) = office.indicators()
    assert (made_of_it["indicator"]["amount"], made_of_it["indicator"]["control_level"]) == (1_000_00, 1)
    text = page(office, "unit", here)
    assert "已批复" in text
    assert "seen" not in text
    listed = page(office, "unit", "/proposals", fiscal_year=YEAR, division=DIVISION)
    assert office.agency in listed
    assert "1,000.00" in listed


def test_a_mistake_stands_beside_its_field(office: Office) -> None:
    number = office.create()
    path = f"/proposals/{number}/lines/first/new"
    wrong = send(office, "unit", path, **FORM_LINE | {"amount": "一千", "summary": ""})
    assert wrong.status_code == 422
    assert 'id="error-amount"' in wrong.text
    assert 'id="error-summary"' in wrong.text
    assert 'value="一千"' in wrong.text
    unknown = send(office, "unit", path, **FORM_LINE | {"exp_func_code": "2999999"})
    assert unknown.status_code == 422
    assert "exp_func 2999999" in unknown.text


def test_a_line_is_removed_once(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", line(1), line(2, dep_exp_eco_code="30211"))
    ids = [one["id"] for one in office.get("unit", f"/proposals/{number}")["lines"]]
    path = f"/proposals/{number}/lines/first/{ids[0]}/remove"
    assert send(office, "unit", path).status_code == 303
    assert send(office, "unit", path).status_code == 404
    assert [one["amount"] for one in office.get("unit", f"/proposals/{number}")["lines"]] == [2]


def test_returned_shows_why_and_stale_pages_are_refused(office: Office) -> None:
    number = office.create()
    office.put("unit", number, "first", line(100))
    office.done("unit", number, "submit")
    here = f"/proposals/{number}"
    text = page(office, "maker", here)
    assert "退回原因" in send(office, "maker", f"{here}/return", seen=seen(text)).text
    assert send(office, "maker", f"{here}/return", seen=seen(text), reason="请补充").status_code == 303
    assert "请补充" in page(office, "unit", here)
    stale = send(office, "maker", f"{here}/issue", seen=seen(text))
    assert stale.status_code == 409
    assert "一上已退回" in stale.text


def test_who_had_a_hand_in_it_is_not_offered_the_approval(office: Office, session) -> None:
    office.tokens["maker"] = session("budget.read", "budget.draft", "budget.approve", actor="maker")
    number = office.create()
    office.put("unit", number, "first", line(100))
    for who, kind in (("unit", "submit"), ("maker", "issue"), ("unit", "submit")):
        office.done(who, number, kind)
    assert "/approve" not in page(office, "maker", f"/proposals/{number}")
    assert "/approve" in page(office, "checker", f"/proposals/{number}")


def test_a_change_by_forms(office: Office) -> None:
    made = office.approved(line(1_000_00), line(500_00, dep_exp_eco_code="30211"))
    source, target = (one["indicator"] for one in made)
    text = page(office, "maker", f"/indicators/{source['id']}")
    assert f"/budget/changes/new?indicator_id={source['id']}" in text
    assert (
        f"/payment/quotas?fiscal_year={YEAR}&amp;division={DIVISION}&amp;indicator_id={source['id']}" in text
    )
    assert "申请变更" not in page(office, "checker", f"/indicators/{source['id']}")
    form = page(office, "maker", "/changes/new", indicator_id=source["id"])
    assert target["indicator_no"] in form
    asked = {"idempotency_key": new_key(), "indicator_id": source["id"], "kind": "adjustment"}
    wrong = send(office, "maker", "/changes/new", **asked, reason="统筹")
    assert wrong.status_code == 422
    assert 'id="error-other_id"' in wrong.text
    asked |= {"other_id": target["id"], "amount": "300", "reason": "统筹"}
    sent = [send(office, "maker", "/changes/new", **asked) for _ in range(2)]
    assert {one.status_code for one in sent} == {303}
    assert len({one.headers["location"] for one in sent}) == 1
    here = sent[0].headers["location"].removeprefix("/budget")
    assert office.agency in page(office, "checker", "/inbox")
    assert "审批通过" not in page(office, "maker", here)
    assert "审批通过" in page(office, "checker", here)
    assert send(office, "checker", f"{here}/refuse").status_code == 422
    assert send(office, "checker", f"{here}/approve").status_code == 303
    assert "已审批" in page(office, "maker", here)
    assert "-300.00" in page(office, "maker", f"/indicators/{source['id']}")
    assert source["indicator_no"] in page(office, "maker", "/changes", fiscal_year=YEAR, division=DIVISION)


def test_a_rest_is_carried_over_without_naming_amount_or_target(office: Office) -> None:
    source = office.approved(line(100))[0]["indicator"]["id"]
    sent = send(
        office,
        "maker",
        "/changes/new",
        idempotency_key=new_key(),
        indicator_id=source,
        kind="carry_over",
        reason="年终结转",
    )
    assert sent.status_code == 303
    here = sent.headers["location"].removeprefix("/budget")
    assert "审批时新建下年度指标" in page(office, "checker", here)
    assert send(office, "checker", f"{here}/approve").status_code == 303
    assert f"{YEAR + 1}-{office.agency}-0001" in page(office, "checker", here)


def test_every_page_speaks_english(office: Office) -> None:
    made = office.approved(line(100))
    indicator = made[0]["indicator"]["id"]
    proposal = made[0]["changes"][0]["proposal_id"]
    change = office.ask("maker", kind="reduction", source_id=indicator, amount=1).json()["id"]
    open_one = Office(office.client, office.session)
    paths = {
        f"/proposals/{proposal}": "maker",
        f"/indicators/{indicator}": "maker",
        f"/changes/{change}": "checker",
        "/inbox": "checker",
        "/proposals/new": "unit",
    }
    texts = [page(office, who, path, lang="en") for path, who in paths.items()]
    texts.append(page(open_one, "unit", f"/proposals/{open_one.create()}/lines/first/new", lang="en"))
    texts.append(page(office, "maker", "/changes/new", indicator_id=indicator, lang="en"))
    for text in texts:
        # What is left in Chinese is the switch back, and data.
        body = text[text.index("<main") : text.index("</main>")]
        for datum in ("示例", "办公费", "测试", "部门预算批复"):
            body = body.replace(datum, "")
        assert not re.search(r"[\u4e00-\u9fff]", body), re.findall(r".*[\u4e00-\u9fff].*", body)


@pytest.mark.parametrize("path", ["/proposals/999999999", "/indicators/999999999", "/changes/999999999"])
def test_what_is_not_there_is_a_page_that_says_so(office: Office, path: str) -> None:
    assert "999999999" in page(office, "maker", path, 404)
