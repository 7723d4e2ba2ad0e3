"""The ledger's pages: without a script, in both languages, from a figure down to the voucher."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.platform.ledger_books import CHART_2015, Person, booked, document, publish

BOOKS = {"fiscal_year": 2016, "division": "450100"}
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module", autouse=True)
def standards(database) -> None:
    publish(database.owner, 2016, CHART_2015, {})


class Reader:
    """Somebody at a browser, here with a token."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.headers = {**HTML, "Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: object):
        return self.client.get(f"/ledger/{path}", params=query or None, headers=self.headers)

    def post(self, path: str, **fields: object):
        return self.client.post(f"/ledger/{path}", data=fields, headers=self.headers, follow_redirects=False)


@pytest.fixture(scope="module")
def tokens(session) -> tuple[str, str]:
    return (
        session("ledger.read", "ledger.draft", actor="zhang", divisions=("450100", "450200")),
        session("ledger.read", "ledger.book", "ledger.close", actor="li"),
    )


@pytest.fixture(scope="module")
def maker(client, tokens) -> Reader:
    return Reader(client, tokens[0])


@pytest.fixture(scope="module")
def checker(client, tokens) -> Reader:
    return Reader(client, tokens[1])


@pytest.fixture(scope="module")
def voucher(client, tokens) -> int:
    people = (Person(client, token) for token in tokens)
    lines = [
        {"account": "5001", "item": "2010301", "agency_code": "101001", "debit": 1_234_567},
        {"account": "1001", "credit": 1_234_567},
    ]
    return booked(*people, **{**document(), "lines": lines})


def filled(form: str, **more: object) -> dict[str, object]:
    """The fields of a new voucher, with the key that the form came with."""
    key = re.search(r'name="idempotency_key" value="([^"]+)"', form)
    assert key
    return {
        "idempotency_key": key[1],
        **{name: str(value) for name, value in BOOKS.items()},
        "kind": "manual",
        "vou_date": "2016-05-06",
        "summary": "计提支出",
        "account": ["5001", "1001", ""],
        "item": ["2010301", "", ""],
        "agency_code": ["101001", "", ""],
        "debit": ["1,000.50", "", ""],
        "credit": ["", "1000.5", ""],
        **more,
    }


@pytest.mark.parametrize(
    "path", ["vouchers", "lines", "drafts", "trial-balance", "balance-sheet", "statement", "periods"]
)
@pytest.mark.usefixtures("voucher")
def test_every_page_is_there_in_both_languages(maker, path) -> None:
    for query in ({}, BOOKS):
        chinese, english = maker.get(path, **query), maker.get(path, **query, lang="en")
        assert (chinese.status_code, english.status_code) == (200, 200), chinese.text
        assert '<html lang="en">' in english.text
        body = english.text.partition("<main")[2].partition("</main>")[0]
        assert not re.search(r"期间|科目|合计|金额", body)
    maker.get(path, lang="zh")


def test_from_a_figure_to_its_lines_to_the_voucher(maker, voucher) -> None:
    balance = maker.get("trial-balance", **BOOKS, by_item="true").text
    link = re.search(r'href="/ledger/(lines\?[^"]*account=5001[^"]*item=2010301)">12,345\.67<', balance)
    assert link, balance
    lines = maker.get(link[1].replace("&amp;", "&")).text
    assert f"/ledger/vouchers/{voucher}" in lines
    page = maker.get(f"vouchers/{voucher}").text
    for expected in (
        "一般公共预算本级支出",
        "行政运行",
        "示例单位",
        "12,345.67",
        "zhang",
        "li",
        "/ledger/drafts/",
    ):
        assert expected in page
    none = maker.get("lines", **BOOKS, account="1001", item="-").text
    assert f"/ledger/vouchers/{voucher}" in none


@pytest.mark.usefixtures("voucher")
def test_the_trial_balance_goes_along_as_excel(maker) -> None:
    file = maker.get("trial-balance", **BOOKS, format="xlsx")
    assert file.content.startswith(b"PK")
    assert "trial-balance-450100-2016" in file.headers["content-disposition"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"account": "5001"}, True),
        ({"account": "5002"}, False),
        ({"agency_code": "101001"}, True),
        ({"amount_from": "12,345.67", "amount_to": "12345.67"}, True),
        ({"amount_from": "12345.68"}, False),
        ({"summary": "示例"}, True),
        ({"source": "manual"}, True),
        ({"source": "payment"}, False),
        ({"period": "4"}, False),
    ],
)
def test_vouchers_are_found_by_what_is_known_of_them(maker, voucher, query, found) -> None:
    text = maker.get("vouchers", **BOOKS, **query).text
    assert (f'/ledger/vouchers/{voucher}"' in text) is found


def test_a_voucher_goes_from_the_form_to_the_books(maker, checker) -> None:
    form = maker.get("drafts/new", **BOOKS).text
    made = maker.post("drafts/new", **filled(form))
    assert made.status_code == 303, made.text
    where = made.headers["location"].removeprefix("/ledger/")
    assert "drafts/new" not in where
    inbox = checker.get("drafts", **BOOKS, state="waiting").text
    assert made.headers["location"] in inbox
    assert "/book" not in maker.get(where).text
    assert "/book" in checker.get(where).text
    blank = checker.post(f"{where}/return")
    assert blank.status_code == 422
    assert 'id="error-reason"' in blank.text
    assert checker.post(f"{where}/return", reason="单位有误").status_code == 303
    page = maker.get(where).text
    assert "单位有误" in page
    edit = maker.get(f"{where}/edit").text
    assert 'value="1,000.50"' in edit
    assert maker.post(f"{where}/edit", **filled(edit, summary="计提支出二")).status_code == 303
    booked_at = checker.post(f"{where}/book").headers["location"].removeprefix("/ledger/")
    page = maker.get(booked_at).text
    assert "计提支出二" in page
    red = maker.post(f"{booked_at}/red", idempotency_key="red-by-the-page", vou_date="2016-06-01")
    assert red.status_code == 303
    draft = red.headers["location"].removeprefix("/ledger/")
    assert "-1,000.50" in maker.get(draft).text
    assert maker.post(f"{draft}/withdraw").status_code == 303


def test_mistakes_stand_beside_their_fields(maker) -> None:
    form = maker.get("drafts/new", **BOOKS).text
    wrong = maker.post("drafts/new", **filled(form, debit=["1.234", "", ""], vou_date=""))
    assert wrong.status_code == 422
    assert 'id="error-debit-1"' in wrong.text
    assert 'id="error-vou_date"' in wrong.text
    assert 'value="1.234"' in wrong.text
    unbalanced = maker.post("drafts/new", **filled(form, debit=["1000.51", "", ""]))
    assert unbalanced.status_code == 422
    assert "0.01" in unbalanced.text
    assert "差额 0.01" in unbalanced.text
    unknown = maker.post("drafts/new", **filled(form, account=["5999", "1001", ""]))
    assert unknown.status_code == 422
    assert "5999" in unknown.text


def test_more_rows_save_nothing_and_keep_what_was_written(maker) -> None:
    form = maker.get("drafts/new", **BOOKS).text
    before = maker.get("drafts", **BOOKS).text
    more = maker.post("drafts/new", **filled(form, more="1", debit=["7", "", ""]))
    assert more.status_code == 200
    assert more.text.count('name="account"') == 9
    assert "差额 -993.50" in more.text
    assert maker.get("drafts", **BOOKS).text == before


def test_a_period_is_closed_by_its_page(checker) -> None:
    books = {"fiscal_year": 2016, "division": "450200"}
    page = checker.get("periods", **books).text
    assert "期初结账" in page
    assert checker.post("periods/close", **books, period="0").status_code == 303
    assert "月结:1" in checker.get("periods", **books).text
    refused = checker.post("periods/close", **books, period="5")
    assert refused.status_code == 409
    assert "2016-01" in refused.text


def test_who_only_reads_is_offered_nothing_to_do(client, session, voucher) -> None:
    reader = Reader(client, session("ledger.read", actor="wang"))
    page = reader.get(f"vouchers/{voucher}").text
    assert "/red" not in page
    assert reader.post(f"vouchers/{voucher}/red").status_code == 403
    assert reader.get("drafts/new").status_code == 403
    assert '<form class="actions"' not in reader.get("periods", **BOOKS).text


def test_wrong_addresses_are_refused(maker) -> None:
    assert maker.get("trial-balance", **BOOKS, first=5, last=3).status_code == 422
    assert maker.get("trial-balance", **BOOKS, colour="red").status_code == 422
    assert maker.get("vouchers/999999999").status_code == 404
    assert maker.get("drafts/999999999").status_code == 404
