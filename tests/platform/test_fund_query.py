"""Fund query: finds what a plain filter finds, for whom it may be found; pages, files, saved queries."""

import asyncio
import datetime as dt
import io
import random
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai_payment.fund_query import index
from jincai_payment.order import Order
from openpyxl import load_workbook

from tests.platform.desk import Person
from tests.platform.posting import make_quota, order, posted, shown, token_for_all
from tests.platform.ruling import put_in_force

API = "/api/v1/payment/search"
PAGE = "/payment/search"
PAYMENTS = 400
_UNITS = [("450100", "101001"), ("450100", "102001"), ("450200", "101001"), ("450102", "103001")]
# Few characters in many orders: what is one word here are two there.
_CHARACTERS = "会议费办公用品采购司 ABab12(（３"
_DRAW = random.Random("fund query")  # noqa: S311 - invented payments


def _text(least: int, most: int) -> str:
    return "".join(_DRAW.choice(_CHARACTERS) for _ in range(_DRAW.randint(least, most)))


@pytest.fixture(scope="module", autouse=True)
def orders(database) -> list[Order]:
    """Random payments of four units, posted and taken into the search; a few of them undone in part."""
    # Words at random say little: no rule is to mind them.
    put_in_force(database.owner)
    token = token_for_all(database.owner)
    with shown(database.app, token) as cx:
        quotas = [make_quota(cx, 10**12, division=one, agency=unit) for one, unit in _UNITS]
    made = []
    for n in range(PAYMENTS):
        place = _DRAW.randrange(len(_UNITS))
        made.append(
            order(
                quotas[place],
                _DRAW.randint(1, 500),
                key=f"fund-query-{n:05}",
                division=_UNITS[place][0],
                agency_code=_UNITS[place][1],
                pay_date=dt.date(2010, _DRAW.randint(1, 12), _DRAW.randint(1, 28)),
                payee_name=f"甲{_text(0, 8)}",
                payee_account=f"4500{_DRAW.randint(0, 30):04}",
                purpose=f"为{_text(0, 12)}",
                set_mode_code=_DRAW.choice("123"),
            )
        )
    asyncio.run(posted(database.app, token, made))
    index.everything(database.owner)
    return made


def plain(said: str) -> str:
    return unicodedata.normalize("NFKC", said).lower()


def matches(one: Order, asked: dict[str, Any]) -> bool:
    """The plain filter."""
    purpose, payee = plain(one.purpose), plain(one.payee_name)
    checks: dict[str, Callable[[Any], bool]] = {
        "division": lambda given: one.division == given,
        "agency_code": lambda given: one.agency_code == given,
        "words": lambda given: all(word in purpose or word in payee for word in plain(given).split()),
        "purpose": lambda given: all(word in purpose for word in plain(given).split()),
        "payee": lambda given: all(word in payee for word in plain(given).split()),
        "payee_account": one.payee_account.startswith,
        "pay_from": lambda given: one.pay_date >= given,
        "pay_to": lambda given: one.pay_date <= given,
        "amount_from": lambda given: one.amount >= given,
        "amount_to": lambda given: one.amount <= given,
        "set_mode_code": lambda given: one.set_mode_code == given,
        "exp_func_code": "2010301".startswith,
        "bank_state": lambda given: given == "waiting",
    }
    return all(checks[name](given) for name, given in asked.items())


def _question(orders: Sequence[Order]) -> dict[str, Any]:
    """Some criteria at random, often taken from a payment that there is, so that something is found."""
    one = _DRAW.choice(orders)

    def piece(said: str) -> str:
        start = _DRAW.randrange(len(said))
        return said[start : start + _DRAW.randint(1, 4)].strip() or "会"

    def words() -> str:
        return " ".join(_DRAW.choice((piece(one.purpose), piece(one.payee_name), "品办")) for _ in "12")

    every: dict[str, Callable[[], Any]] = {
        "division": lambda: one.division,
        "agency_code": lambda: one.agency_code,
        "words": words,
        "purpose": lambda: piece(one.purpose),
        "payee": lambda: piece(one.payee_name),
        "payee_account": lambda: one.payee_account[: _DRAW.randint(4, 8)],
        "pay_from": lambda: dt.date(2010, _DRAW.randint(1, 6), 1),
        "pay_to": lambda: dt.date(2010, _DRAW.randint(6, 12), 28),
        "amount_from": lambda: _DRAW.randint(1, 200),
        "amount_to": lambda: _DRAW.randint(200, 500),
        "set_mode_code": lambda: one.set_mode_code,
        "exp_func_code": lambda: _DRAW.choice(("201", "2010301", "202")),
        "bank_state": lambda: _DRAW.choice(("waiting", "waiting", "sent", "cleared")),
    }
    return {name: every[name]() for name in _DRAW.sample(sorted(every), _DRAW.randint(1, 3))}


def _expected(orders: Sequence[Order], asked: dict[str, Any], sort: str) -> list[tuple[str, int]]:
    found = [one for one in orders if matches(one, asked)]
    key = sort.removeprefix("-")
    # Ids grow in the order of posting.
    found.sort(
        key=lambda one: (getattr(one, key), orders.index(one)),
        reverse=sort.startswith("-"),
    )
    return [(one.purpose, one.amount) for one in found]


def test_finds_what_a_plain_filter_finds(orders, clerk: TestClient) -> None:
    hits = 0
    for _ in range(250):
        asked = _question(orders)
        sort = _DRAW.choice(("pay_date", "-pay_date", "amount", "-amount"))
        answer = clerk.get(API, params={**asked, "sort": sort, "limit": 200})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        expected = _expected(orders, asked, sort)
        assert found["total"] == len(expected), asked
        assert not found["more"]
        assert [(one["purpose"], one["amount"]) for one in found["items"]] == expected[:200], asked
        hits += bool(expected)
    assert hits > 100


def test_many_matches_come_along_the_order(database) -> None:
    """What is beyond the bound of counting is answered another way, with the same rows."""
    with shown(database.app, token_for_all(database.owner)) as cx:
        for sort in ("pay_date", "-pay_date", "amount", "-amount"):
            ask = "SELECT ids, total FROM payment.find('{\"fiscal_year\": 2010}', %s, 30, 20, %s)"
            few = cx.execute(ask, (sort, 50_000)).fetchone()
            many = cx.execute(ask, (sort, 100)).fetchone()
            assert few
            assert many
            assert few[0] == many[0]
            assert (few[1], many[1]) == (PAYMENTS, 101)


@pytest.mark.parametrize(
    ("divisions", "agencies"),
    [(["450100"], None), (["450100", "450102"], None), (["450100"], ["102001"]), ([], None)],
)
def test_finds_only_within_the_readers_scope(orders, client, session, divisions, agencies) -> None:
    reader = Person(client, session("payment.read", divisions=divisions, agencies=agencies))
    for asked in ({}, {"words": "会"}, {"division": "450200"}, {"amount_from": 100}):
        expected = [
            one
            for one in orders
            if matches(one, asked)
            and one.division in divisions
            and (agencies is None or one.agency_code in agencies)
        ]
        found = reader.get(API, **asked, limit=200).json()
        assert found["total"] == len(expected)
        assert {one["division"] for one in found["items"]} <= set(divisions)


def test_the_application_reads_no_index_past_its_functions(database) -> None:
    with shown(database.app, token_for_all(database.owner)) as cx:
        for table in ("payment.search", "payment.search_unsent"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                cx.execute(f"SELECT * FROM {table}")  # noqa: S608 - two names


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": "一 二 三 四 五 六 七 八 九"},
        {"pay_from": "2010-05-01", "pay_to": "2010-04-01"},
        {"amount_from": 2, "amount_to": 1},
        {"offset": 10_001},
        {"sort": "payee_name"},
        {"bank_state": "lost"},
        {"nonsense": 1},
        {"payee_account": "45"},
        {"words": "a\x00"},
    ],
)
def test_what_cannot_be_asked_is_refused(clerk: TestClient, wrong: dict[str, Any]) -> None:
    assert clerk.get(API, params=wrong).status_code == 422
    page = clerk.get(PAGE, params=wrong, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert 'class="error"' in page.text


@pytest.mark.parametrize("words", ["'", "\\", '"', "%", "_", "a'b\\c", "'||'", "' & 'a", "$1", ":*", "\t会"])
def test_words_are_no_pattern(orders, clerk: TestClient, words: str) -> None:
    answer = clerk.get(API, params={"purpose": words.strip()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == sum(matches(one, {"purpose": words.strip()}) for one in orders)


def test_the_page_shows_sorts_and_turns(orders, clerk: TestClient) -> None:
    assert "请填写任意条件" in clerk.get(PAGE).text
    text = clerk.get(PAGE, params={"division": "450100", "sort": "-amount", "limit": 10}).text
    expected = [one for one in orders if one.division == "450100"]
    assert f"<strong>{len(expected)}</strong>" in text
    assert 'aria-sort="descending"' in text
    assert "offset=10" in text
    assert "没有符合条件" in clerk.get(PAGE, params={"words": "查无此人"}).text
    # Amounts are given in yuan.
    page = clerk.get(PAGE, params={"amount_from": "4.90", "lang": "en"}).text
    assert f"<strong>{sum(one.amount >= 490 for one in orders)}</strong> rows" in page
    clerk.cookies.clear()


def test_the_file_holds_every_row(orders, clerk: TestClient) -> None:
    answer = clerk.get(PAGE, params={"division": "450100", "limit": 5, "format": "xlsx"})
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet.max_row == 1 + sum(one.division == "450100" for one in orders)
    assert [cell.value for cell in sheet[1]][:3] == ["凭证号", "日期", "区划"]


def test_a_question_is_kept_shared_and_dropped(client, session) -> None:
    owner = Person(client, session("payment.read", divisions=["450100"], actor="keeper"))
    same = Person(client, session("payment.read", divisions=["450100"], actor="colleague"))
    unit = Person(
        client, session("payment.read", divisions=["450100"], agencies=["101001"], actor="unit keeper")
    )
    body = {"name": "会议费 大额", "shared": True, "asked": {"words": "会议", "amount_from": 12345}}
    kept = owner.post(f"{API}/saved", body)
    assert kept.status_code == 201, kept.text
    number = kept.json()["id"]
    assert [one["id"] for one in same.get(f"{API}/saved").json()] == [number]
    # A department's questions are not told to the units.
    assert unit.get(f"{API}/saved").json() == []
    assert same.client.delete(f"{API}/saved/{number}", headers=same.headers).status_code == 404
    page = same.page(PAGE).text
    assert "会议费 大额" in page
    assert "amount_from=123.45" in page
    # The same name again replaces it; not shared, nobody else sees it.
    assert owner.post(f"{API}/saved", {**body, "shared": False}).json()["id"] == number
    assert same.get(f"{API}/saved").json() == []
    assert owner.client.delete(f"{API}/saved/{number}", headers=owner.headers).status_code == 204
    assert owner.get(f"{API}/saved").json() == []


def test_the_page_keeps_and_drops_a_question(client, session) -> None:
    person = Person(client, session("payment.read", divisions=["450100"], actor="page keeper"))
    question = "words=%E4%BC%9A%E8%AE%AE&amount_from=1%2C234.50"
    answer = person.form(f"{PAGE}/saved", name="常看", question=question)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?{question}")
    (kept,) = person.get(f"{API}/saved").json()
    assert kept["asked"] == {"words": "会议", "amount_from": 123450, "sort": "-pay_date"}
    assert person.form(f"{PAGE}/saved", name=" ", question=question).status_code == 422
    assert person.form(f"{PAGE}/saved", name="空", question="").status_code == 422
    assert person.form(f"{PAGE}/saved/{kept['id']}/delete").status_code == 303
    assert person.get(f"{API}/saved").json() == []


def test_nobody_keeps_without_bound(client, database, session) -> None:
    person = Person(client, session("payment.read", actor="collector"))
    with shown(database.app, token_for_all(database.owner)) as cx:
        cx.execute(
            """
            INSERT INTO payment.saved_query (made_by, name, asked)
            SELECT 'collector', n::text, '{"fiscal_year": 2010}' FROM generate_series(1, 100) AS n
            """
        )
    refused = person.post(f"{API}/saved", {"name": "one more", "asked": {"words": "会"}})
    assert refused.status_code == 409
    assert person.post(f"{API}/saved", {"name": "7", "asked": {"words": "会"}}).status_code == 201
