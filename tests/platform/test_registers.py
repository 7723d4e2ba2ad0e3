"""登记簿: entries are added one by one or by files, closed by a date, and asked by rules."""

import asyncio
import datetime as dt
import io
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jincai_payment.registers import file as register_file
from openpyxl import Workbook

from tests.platform.desk import API, Person
from tests.platform.posting import make_quota, order, posted, shown, token_for_all
from tests.platform.ruling import put_in_force, shipped

REGISTERS = f"{API}/registers"
ACCOUNT = {"division": "450100", "agency_code": "101001", "holder": "示例机关", "account": "4500 9999-0001"}
CONTRACT = {
    "division": "450100", "agency_code": "101001", "project_code": "P1", "contract_no": "合同一",
    "payee_name": "示例路桥公司", "payee_account": "4500777700001111",
}  # fmt: skip
LIMIT = {"division": "450100", "agency_code": "101001", "kind": "payment", "amount": 1_000_000}
HEADINGS = "区划,单位,户名,账号,生效日期,截止日期\n"
OF = "fiscal_year=2010&division=450100"


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def registrar(client, session) -> Person:
    token = session("payment.read", "monitor.register", divisions=["450100"], actor="registrar")
    return Person(client, token)


@pytest.fixture(scope="module")
def reader(client, session) -> Person:
    return Person(client, session("payment.read", divisions=["450100"], actor="reader"))


def bring(person: Person, content: bytes, name: str = "own-accounts", query: str = "") -> object:
    return person.client.post(f"{REGISTERS}/{name}/import{query}", content=content, headers=person.headers)


def count(books: psycopg.Connection) -> int:
    return books.execute("SELECT count(*) FROM payment.own_account").fetchone()[0]


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "entry"), [("own-accounts", ACCOUNT), ("contracts", CONTRACT), ("unit-limits", LIMIT)]
)
def test_an_entry_is_made_read_listed_and_closed(registrar, reader, name, entry) -> None:
    made = registrar.post(f"{REGISTERS}/{name}", entry)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json() | entry == made.json()
    assert (made.json()["made_by"], made.json()["valid_from"]) == ("registrar", "1949-10-01")
    # Asked again it is the same entry.
    assert registrar.post(f"{REGISTERS}/{name}", entry).json()["id"] == number
    assert reader.get(f"{REGISTERS}/{name}/{number}").json() == made.json()
    listed = reader.get(f"{REGISTERS}/{name}", fiscal_year=2010, division="450100").json()["items"]
    assert number in [one["id"] for one in listed]
    early = registrar.post(f"{REGISTERS}/{name}/{number}/close", {"valid_to": "1949-09-30"})
    assert early.status_code == 422
    for _ in range(2):
        closed = registrar.post(f"{REGISTERS}/{name}/{number}/close", {"valid_to": "2009-12-31"})
        assert (closed.status_code, closed.json()["valid_to"]) == (200, "2009-12-31")
    other = registrar.post(f"{REGISTERS}/{name}/{number}/close", {"valid_to": "2011-12-31"})
    assert (other.status_code, "2009-12-31" in other.json()["detail"]) == (409, True)
    # It holds on no day of 2010 now.
    listed = reader.get(f"{REGISTERS}/{name}", fiscal_year=2010, division="450100").json()["items"]
    assert number not in [one["id"] for one in listed]


@pytest.mark.parametrize(
    ("name", "entry", "field"),
    [("own-accounts", ACCOUNT | {"division": "4501"}, "division"),
     ("own-accounts", ACCOUNT | {"account": "账号"}, "account"),
     ("own-accounts", ACCOUNT | {"holder": " "}, "holder"),
     ("own-accounts", ACCOUNT | {"agency_code": ""}, "agency_code"),
     ("own-accounts", ACCOUNT | {"valid_from": "20100101"}, "valid_from"),
     ("contracts", CONTRACT | {"dep_exp_eco_code": "三一零"}, "dep_exp_eco_code"),
     ("unit-limits", LIMIT | {"kind": "cash_year"}, "kind"),
     ("unit-limits", LIMIT | {"amount": -1}, "amount"),
     ("unit-limits", LIMIT | {"amount": 10**16}, "amount")],
)  # fmt: skip
def test_what_an_entry_may_not_say(registrar, name, entry, field) -> None:
    answer = registrar.post(f"{REGISTERS}/{name}", entry)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


def test_what_only_the_database_knows(registrar) -> None:
    nowhere = registrar.post(f"{REGISTERS}/own-accounts", ACCOUNT | {"division": "999999"})
    assert (nowhere.status_code, "999999" in nowhere.json()["detail"]) == (422, True)
    beyond = registrar.post(f"{REGISTERS}/own-accounts", ACCOUNT | {"division": "450200"})
    assert (beyond.status_code, "范围" in beyond.json()["detail"]) == (422, True)
    backwards = ACCOUNT | {"valid_from": "2010-02-01", "valid_to": "2010-01-31"}
    assert registrar.post(f"{REGISTERS}/own-accounts", backwards).status_code == 422
    entry = ACCOUNT | {"account": "4500123123123"}
    assert registrar.post(f"{REGISTERS}/own-accounts", entry).status_code == 201
    # The same account, however it is written.
    other = registrar.post(f"{REGISTERS}/own-accounts", entry | {"account": "4500-123123123"})
    assert (other.status_code, "截止" in other.json()["detail"]) == (409, True)


def test_a_file_is_taken_whole(registrar, books) -> None:
    before = count(books)
    rows = "450100,101001,甲,4500200000001,,\n450100,101002,乙,4500200000002,2010-01-01,2010-12-31\n"
    done = bring(registrar, (HEADINGS + rows).encode())
    assert (done.status_code, done.json()) == (200, {"added": 2, "unchanged": 0})
    # Once more, with one more: what is there stays.
    more = HEADINGS + rows + "450100,101003,丙,4500200000003,,\n"
    assert bring(registrar, more.encode("gb18030"), query="?encoding=gb18030").json() == {
        "added": 1,
        "unchanged": 2,
    }
    assert count(books) == before + 3


def test_a_workbook_with_dates_and_amounts(registrar, reader) -> None:
    content = workbook(
        ("区划", "单位", "限额种类", "限额(元)", "生效日期"),
        (450100, 101009, "每日提现", 1234.56, dt.date(2010, 1, 1)),
        ("450100", "", "cash_month", "10,000", None),
    )
    assert bring(registrar, content, "unit-limits").json() == {"added": 2, "unchanged": 0}
    found = reader.get(f"{REGISTERS}/unit-limits", fiscal_year=2010, division="450100").json()["items"]
    kept = {(one["agency_code"], one["kind"]): (one["amount"], one["valid_from"]) for one in found}
    assert kept["101009", "cash_day"] == (123456, "2010-01-01")
    assert kept["", "cash_month"] == (1_000_000, "1949-10-01")


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [(HEADINGS + "450100,101001,甲,4500300000001,,\n450100,101001,乙,短,,\n", (3, "账号"), "短"),
     (HEADINGS + "450100,101001,甲,4500300000001,2010/1/1,\n", (2, "生效日期"), "2010/1/1"),
     (HEADINGS + "450100,101001,甲,4500300000001,,\n\n450100,101001,乙,4500-300000001,,\n", (4, ""), "重复"),
     (HEADINGS + "450100,101001,甲,4500300000001,,\n450200,101001,乙,4500300000002,,\n",
      (3, "agency_code"), "范围"),
     (HEADINGS + "450100,101001,甲,4500300000001,2010-02-01,2010-01-31\n", (2, "valid_to"), "生效日期"),
     (HEADINGS + "450100,101001,=1+1,4500300000001,,\n", (2, ""), "公式"),
     (HEADINGS + "450100,101001,甲,4500300000001,,,多\n", (2, ""), "6"),
     ("区划,单位,户名\n450100,101001,甲\n", (1, "账号"), "缺少"),
     ("区划,单位,户名,账号,余额\n", (1, "余额"), "没有此列"),
     ("区划,单位,户名,账号,账号\n", (1, "账号"), "两次"),
     (HEADINGS, (1, ""), "没有数据")],
)  # fmt: skip
def test_a_mistake_is_told_by_row_and_column_and_nothing_is_taken(
    registrar, books, content, place, said
) -> None:
    before = count(books)
    answer = bring(registrar, content.encode())
    assert answer.status_code == 422
    (first, *_) = answer.json()["errors"]
    assert ((first["row"], first["column"]), said in first["message"]) == (place, True), first
    assert count(books) == before


def test_files_are_bounded(registrar, books, monkeypatch) -> None:
    before = count(books)
    assert bring(registrar, b"").status_code == 422
    assert bring(registrar, b"PK no workbook").status_code == 422
    assert bring(registrar, "区划".encode("gb18030")).status_code == 422
    monkeypatch.setattr(register_file, "ROWS_MOST", 1)
    rows = "450100,101001,甲,4500400000001,,\n450100,101001,乙,4500400000002,,\n"
    many = bring(registrar, (HEADINGS + rows).encode())
    assert (many.status_code, many.json()["errors"][0]["row"]) == (422, 3)
    monkeypatch.setattr(register_file, "FILE_BYTES", 10)
    assert bring(registrar, HEADINGS.encode()).status_code == 413
    assert count(books) == before


def test_pages_enter_import_and_close(registrar, reader) -> None:
    index = registrar.page("/payment/registers")
    assert all(title in index.text for title in ("账户备案", "基建合同", "单位限额"))
    form = registrar.page("/payment/registers/unit-limits/new")
    assert (form.status_code, "每日提现" in form.text) == (200, True)
    wrong = registrar.form("/payment/registers/unit-limits", division="450100", kind="payment", amount="一元")
    assert (wrong.status_code, 'id="error-amount"' in wrong.text) == (422, True)
    given = {"division": "450100", "agency_code": "101007", "kind": "payment", "amount": "1,234.50"}
    made = registrar.form("/payment/registers/unit-limits", **given)
    assert made.status_code == 303
    entry = registrar.page(made.headers["location"])
    assert "1,234.50" in entry.text
    assert "单笔支付" in entry.text
    assert 'name="valid_to"' not in reader.page(made.headers["location"]).text
    assert registrar.form(made.headers["location"], valid_to="2010-06-30").status_code == 303
    assert "2010-06-30" in registrar.page(made.headers["location"]).text
    assert registrar.form(made.headers["location"], valid_to="2010-07-31").status_code == 409
    listed = registrar.page(f"/payment/registers/unit-limits?{OF}&agency_code=101007")
    assert "1,234.50" in listed.text
    assert registrar.page(f"/payment/registers/unit-limits?{OF}&format=xlsx").content.startswith(b"PK")


def test_the_page_of_a_file_says_what_is_wrong(registrar) -> None:
    def sent(text: str) -> object:
        files = {"file": ("own.csv", text.encode(), "text/csv")}
        headers = registrar.headers | {"Accept": "text/html"}
        path = "/payment/registers/own-accounts/import"
        return registrar.client.post(path, files=files, data={"encoding": "utf-8"}, headers=headers)

    wrong = sent(HEADINGS + "450100,101001,甲,短,,\n")
    assert (wrong.status_code, "1 处错误" in wrong.text, "账号" in wrong.text) == (422, True, True)
    done = sent(HEADINGS + "450100,101001,甲,4500500000001,,\n")
    assert (done.status_code, "已导入:新增 1" in done.text) == (200, True)
    assert sent("").status_code == 422


def test_who_may_what(reader, client, session, registrar) -> None:
    assert reader.post(f"{REGISTERS}/own-accounts", ACCOUNT).status_code == 403
    assert bring(reader, HEADINGS.encode()).status_code == 403
    assert reader.page("/payment/registers/own-accounts/new").status_code == 403
    assert "登记或导入" not in reader.page("/payment/registers").text
    number = registrar.post(f"{REGISTERS}/own-accounts", ACCOUNT | {"account": "450060000"}).json()["id"]
    assert (
        reader.post(f"{REGISTERS}/own-accounts/{number}/close", {"valid_to": "2010-1-1"}).status_code == 403
    )
    unit = Person(client, session("payment.read", divisions=["450100"], agencies=["101002"], actor="unit"))
    assert unit.get(f"{REGISTERS}/own-accounts/{number}").status_code == 404
    assert unit.page("/payment/registers/others").status_code == 404


@pytest.mark.parametrize("change", ["holder = '别人'", "account = '4500111122223333'", "made_by = 'x'"])
def test_an_entry_is_never_changed(registrar, books, change) -> None:
    number = registrar.post(f"{REGISTERS}/own-accounts", ACCOUNT | {"account": "45007000001"}).json()["id"]
    with pytest.raises(psycopg.Error, match="never changed"):
        books.execute(f"UPDATE payment.own_account SET {change} WHERE id = %s".encode(), (number,))  # noqa: S608


# As migration 0005 defines it: what it wrote into registers then is compared with what 0009 answers now.
_PLAIN_ONCE = """
SELECT CASE WHEN said ~ '^[0-9]*$' THEN said
            ELSE regexp_replace(upper(normalize(said, NFKC)), '[^[:alnum:]]', '', 'g') END,
       payment.plain(said)
  FROM (VALUES (%s::text)) AS v (said)
"""
_NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_NAMES | st.text(st.sampled_from("0９aＡZ南宁市（） -龥龦㐀🏦Ⅳ①"), max_size=8))
def test_names_are_compared_as_ever(database, name: str) -> None:
    with psycopg.connect(database.owner) as cx:
        before, now = cx.execute(_PLAIN_ONCE, (name,)).fetchone()
        assert cx.execute("SELECT payment.plain(NULL)").fetchone() == (None,)
    assert now == before


def test_every_ideograph_that_is_taken_as_it_is(database) -> None:
    every = "".join(map(chr, range(0x4E00, 0x9FA6))) + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    with psycopg.connect(database.owner) as cx:
        assert cx.execute(_PLAIN_ONCE, (every,)).fetchone() == (every, every)


def test_rules_ask_the_registers(database, books, registrar) -> None:
    put_in_force(database.owner, *shipped("R1", "R9"))
    token = token_for_all(database.owner)
    quota = make_quota(books, 10**12, agency="101055")

    def pay(amount: int, account: str, day: int = 5) -> str:
        more = {"payee_account": account, "pay_date": dt.date(2010, 3, day)}
        one = order(quota, amount, agency_code="101055", **more)
        return asyncio.run(posted(database.app, token, [one]))[0].outcome

    assert pay(500, "4500880000001") == "posted"
    own = ACCOUNT | {"agency_code": "101055", "account": "4500-88000 0001", "valid_from": "2010-03-05"}
    number = registrar.post(f"{REGISTERS}/own-accounts", own).json()["id"]
    assert pay(501, "4500880000001") == "held"
    closed = registrar.post(f"{REGISTERS}/own-accounts/{number}/close", {"valid_to": "2010-03-05"})
    assert closed.status_code == 200
    # The last day counts.
    assert pay(502, "4500880000001") == "held"
    assert pay(503, "4500880000001", day=6) == "posted"
    assert pay(1_000_000, "4500990000001") == "posted"
    registrar.post(f"{REGISTERS}/unit-limits", LIMIT | {"agency_code": "101055"})
    assert pay(1_000_000, "4500990000002") == "held"
    assert pay(999_999, "4500990000002") == "posted"
