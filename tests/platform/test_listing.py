"""Lists of an access system: conditions, sorting, paging, Excel, and what they refuse."""

import io
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from jincai.money import fen, yuan
from jincai.spreadsheet import safe, unsafe, write_xlsx
from openpyxl import load_workbook

from tests.platform.posting import shown, token_for_all

URL = "/budget/indicators?fiscal_year=2016&division=450100"
_ROWS = """
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, summary, amount)
SELECT 2016, '450100', 'L-' || n, (101000 + n % 3)::text, '1', '1', '2010301', '30201',
       CASE WHEN n = 7 THEN '=HYPERLINK("x")' WHEN n = 8 THEN '100%_满意' ELSE '办公 ' || n END,
       n * 100
  FROM generate_series(1, 60) AS n
"""


@pytest.fixture(scope="module", autouse=True)
def rows(database):
    with shown(database.owner, token_for_all(database.owner)) as cx:
        cx.execute(_ROWS)


def test_books_are_offered_first(clerk: TestClient) -> None:
    text = clerk.get("/budget/indicators").text
    assert "/budget/indicators?fiscal_year=2016&amp;division=450100" in text
    assert "南宁市" in text


def test_conditions_count_and_clear(clerk: TestClient) -> None:
    assert "<strong>60</strong>" in clerk.get(URL).text
    assert "<strong>20</strong>" in clerk.get(URL + "&agency_code=101001").text
    # What a reader types is no pattern.
    assert "<strong>1</strong>" in clerk.get(URL + "&summary=%25_").text
    assert "<strong>60</strong>" in clerk.get(URL + "&summary=&agency_code=").text
    assert "没有符合条件" in clerk.get(URL + "&summary=不存在").text


def test_sorting_both_ways(clerk: TestClient) -> None:
    assert ">60.00<" in clerk.get(URL + "&sort=-amount&limit=1").text
    text = clerk.get(URL + "&sort=amount&limit=1").text
    assert ">1.00<" in text
    assert 'aria-sort="ascending"' in text
    assert "sort=-amount" in text


@pytest.mark.parametrize(
    "wrong", ["sort=id;DROP", "sort=planned_x", "limit=0", "format=pdf", "nonsense=1", "division=45"]
)
def test_what_is_not_known_is_refused(clerk: TestClient, wrong: str) -> None:
    answer = clerk.get(
        URL + "&" + wrong
        if not wrong.startswith("division")
        else "/budget/indicators?fiscal_year=2016&" + wrong
    )
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_excel_holds_every_row_and_runs_nothing(clerk: TestClient) -> None:
    answer = clerk.get(URL + "&format=xlsx&limit=5")
    assert answer.headers["content-disposition"] == 'attachment; filename="indicators-450100-2016.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet.max_row == 61
    assert [cell.value for cell in sheet[1]][:2] == ["指标文号", "单位"]
    found = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    formula = found["L-7"][4]
    assert (formula.data_type, formula.quotePrefix) == ("s", True)
    assert formula.value.startswith("=HYPERLINK")
    assert found["L-60"][5].value == 60
    assert found["L-60"][5].number_format == "#,##0.00"


def test_another_division_shows_nothing_of_this_one(database, serving, session) -> None:
    with serving(database.app, auth_database_url=database.auth) as client:
        client.headers["Authorization"] = f"Bearer {session('budget.read', divisions=['450200'])}"
        assert "没有符合条件" in client.get(URL).text
        assert "450100" not in client.get("/budget/indicators").text.replace('placeholder="450100"', "")
        assert load_workbook(io.BytesIO(client.get(URL + "&format=xlsx").content)).active.max_row == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 100),
        ("1,234.5", 123450),
        ("-0.05", -5),
        ("0.10", 10),
        ("¥12.34", 1234),
        ("1,234,567.89", 123456789),
    ],
)
def test_yuan_become_fen(text: str, expected: int) -> None:
    assert fen(text) == expected
    assert fen(yuan(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "1.234", "1,23", "1e3", "NaN", "١", "--1", "1 000", "0x10", "99999999999999"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        fen(text)


@pytest.mark.parametrize("text", ["=1+1", "'=1", "''", "'", "+86", "-5", "@x", "\tx", "plain", "中文", ""])
def test_safe_is_undone_exactly(text: str) -> None:
    assert unsafe(safe(text)) == text
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_control_characters_do_not_break_a_file() -> None:
    made = write_xlsx({"x": (["a"], [["\x00\x07"], [Decimal("1.50")]])})
    assert load_workbook(io.BytesIO(made)).active["A2"].value == "\ufffd\ufffd"
