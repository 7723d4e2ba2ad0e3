"""Files of code tables: what is written reads back the same, what is wrong is named with its place."""

import io
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jincai.standards import cells, code_check, code_file
from jincai.standards.code_check import Present
from jincai.standards.code_file import read, write_csv, write_xlsx
from jincai.standards.code_rows import CodeRow
from jincai.standards.mistakes import KEPT_MOST, Mistake, Mistakes
from openpyxl import Workbook, load_workbook

_LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
)
NAMES = st.builds(
    lambda first, rest: (first + rest).strip(),
    st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''", '"', "=1+1;", ",", "_x000D_"]),
    st.text(_LETTERS, max_size=40),
).filter(bool)
TABLE = st.lists(NAMES, max_size=8).map(
    lambda names: [
        CodeRow(n + 2, f"{n:03}", name, f"{n - 1:03}" if n else None) for n, name in enumerate(names)
    ]
)


@settings(max_examples=300, deadline=None)
@given(TABLE)
def test_csv_reads_back_as_it_was(rows: list[CodeRow]) -> None:
    made = write_csv("exp_func", rows)
    assert read(made, "exp_func", "utf-8") == ({"exp_func": rows}, Mistakes())


@settings(max_examples=100, deadline=None)
@given(TABLE)
def test_xlsx_reads_back_as_it_was(rows: list[CodeRow]) -> None:
    made = write_xlsx({"exp_func": rows, "fund_type": []})
    assert read(made, None, "utf-8") == ({"exp_func": rows, "fund_type": []}, Mistakes())


def test_attributes_read_back() -> None:
    rows = [CodeRow(2, "5001", "本级支出", None, {"kind": "expenditure", "side": "debit"})]
    assert read(write_csv("account", rows), "account", "utf-8")[0] == {"account": rows}
    assert read(write_xlsx({"account": rows}), None, "utf-8")[0] == {"account": rows}


def test_no_cell_of_a_file_is_a_formula() -> None:
    rows = [
        CodeRow(2, "1", "=HYPERLINK(1)"),
        CodeRow(3, "2", "@SUM(A1)"),
        CodeRow(4, "3", "+1"),
        CodeRow(5, "4", "-1"),
    ]
    for cell in load_workbook(io.BytesIO(write_xlsx({"exp_func": rows})))["exp_func"]["B"]:
        assert cell.data_type == "s"
    for line in write_csv("exp_func", rows).decode("utf-8-sig").splitlines()[1:]:
        assert line.split(",")[1].startswith("'")


def _csv(text: str, element: str = "exp_func", encoding: cells.Encoding = "utf-8") -> list[Mistake]:
    return read(text.encode(encoding), element, encoding)[1].first


@pytest.mark.parametrize(
    ("text", "row", "column", "word"),
    [
        ("", 1, "", "no headings"),
        ("code\n1\n", 1, "name", "missing"),
        ("code,name,colour\n1,a,b\n", 1, "colour", "no column"),
        ("code,name,name\n1,a,b\n", 1, "name", "twice"),
        ("code,name\n1,a\n!,b\n", 3, "code", "expected a code"),
        ("code,name\n1,\n", 2, "name", "1 to 200"),
        (f"code,name\n1,{'a' * 201}\n", 2, "name", "1 to 200"),
        ("code,name\n1,a\x07b\n", 2, "name", "printed"),
        ("code,name\n1,=1+1\n", 2, "", "formula"),
        ("code,name\n1,@a\n", 2, "", "formula"),
        ("code,name\n1,a,b\n", 2, "", "2 columns only"),
        ('code,name\n1,"a\n', 2, "", "not valid CSV"),
        ("code,name,parent\n1,a,?\n", 2, "parent", "expected a code"),
    ],
)
def test_each_mistake_of_a_csv_file_is_named(text: str, row: int, column: str, word: str) -> None:
    (mistake,) = _csv(text)
    assert (mistake.sheet, mistake.row, mistake.column) == ("exp_func", row, column)
    assert word in mistake.en
    assert mistake.zh


def test_an_attribute_says_what_is_expected() -> None:
    mistakes = _csv("code,name,kind,side\n5001,支出,cost,left\n", "account")
    assert [(one.column, one.en) for one in mistakes] == [
        ("kind", "“cost”: expected one of asset, liability, net, revenue, expenditure"),
        ("side", "“left”: expected one of debit, credit"),
    ]


def test_gbk_only_if_it_is_said() -> None:
    content = "code,name\r\n1,行政运行\r\n".encode("gbk")
    (mistake,) = read(content, "exp_func", "utf-8")[1].first
    assert (mistake.row, "gb18030" in mistake.en) == (2, True)
    assert read(content, "exp_func", "gb18030")[0] == {"exp_func": [CodeRow(2, "1", "行政运行")]}


def test_numbers_and_blank_rows_of_a_workbook_are_taken() -> None:
    found, mistakes = read(_book([["code", "name"], [201, "a"], [], [20101.0, 5]]), None, "utf-8")
    assert found == {"exp_func": [CodeRow(2, "201", "a"), CodeRow(4, "20101", "5")]}
    assert not mistakes.count


def _book(rows: list[list[object]], title: str = "exp_func") -> bytes:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("value", ["=1+1", "=A1", True, 1.5, "#N/A"])
def test_formulas_and_what_is_no_text_are_refused(value: object) -> None:
    (mistake,) = read(_book([["code", "name"], ["1", value]]), None, "utf-8")[1].first
    assert (mistake.sheet, mistake.row, mistake.column) == ("exp_func", 2, "B")


def test_a_sheet_that_is_no_element_is_named() -> None:
    (mistake,) = read(_book([["code", "name"]], "Sheet1"), None, "utf-8")[1].first
    assert mistake.sheet == "Sheet1"


def _zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"PK\x03\x04 nonsense", _zip(a=b"1"), _book([["code"]])[:-200]])
def test_a_damaged_workbook_is_refused(content: bytes) -> None:
    assert "not a valid XLSX" in read(content, None, "utf-8")[1].first[0].en


def test_a_zip_bomb_is_not_opened() -> None:
    bomb = _zip(**{"xl/workbook.xml": b"0" * (cells.UNPACKED_BYTES + 1)})
    began = time.monotonic()
    (mistake,) = read(bomb, None, "utf-8")[1].first
    assert "unpacks to" in mistake.en
    assert time.monotonic() - began < 1


def _with_sheet(xml: str) -> bytes:
    """A workbook whose sheet's XML is the given."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_book([["code", "name"]]))) as given, zipfile.ZipFile(file, "w") as made:
        for one in given.namelist():
            made.writestr(one, xml if one.endswith("sheet1.xml") else given.read(one))
    return file.getvalue()


def test_entities_are_refused() -> None:
    xml = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData>&a;</sheetData></worksheet>'
    assert "not a valid XLSX" in read(_with_sheet(xml), None, "utf-8")[1].first[0].en


@pytest.mark.parametrize("place", ["A99999999", "XFD2", "ZZZ100001"])
def test_far_away_cells_cost_nothing(place: str) -> None:
    row = "".join(c for c in place if c.isdigit())
    cell = f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'
    ns = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    began = time.monotonic()
    assert read(
        _with_sheet(f'<worksheet xmlns="{ns}"><sheetData>{cell}</sheetData></worksheet>'), None, "utf-8"
    )[1].count
    assert time.monotonic() - began < 3


def test_too_many_rows_and_too_many_mistakes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = "code,name\n" + "!,a\n" * 500
    found = read(many.encode(), "exp_func", "utf-8")[1]
    assert (found.count, len(found.first)) == (500, KEPT_MOST)
    monkeypatch.setattr(code_file, "ROWS_MOST", 3)
    assert "3 rows at most" in _csv("code,name\n1,a\n2,a\n3,a\n4,a\n")[0].en
    assert not _csv("code,name\n1,a\n2,a\n3,a\n")


def _checked(
    rows: list[CodeRow], element: str = "exp_func", *, replace: bool = False, **present: object
) -> list[Mistake]:
    mistakes = Mistakes()
    code_check.check({element: rows}, Present(**present), mistakes, replace=replace)  # type: ignore[arg-type]
    return mistakes.first


def test_parents_must_exist_and_lead_to_an_end() -> None:
    child = [CodeRow(2, "2", "b", "1")]
    there = {"exp_func": {"1": None}}
    assert [(one.row, one.column) for one in _checked(child)] == [(2, "parent")]
    assert not _checked(child, parents=there)
    assert _checked(child, parents=there, replace=True)
    assert not _checked([*child, CodeRow(3, "1", "a")])
    assert "lead back" in _checked([CodeRow(2, "1", "a", "1")])[0].en
    assert (
        "lead back"
        in _checked([CodeRow(2, "1", "a", "2")], parents={"exp_func": {"1": None, "2": "1"}})[0].en
    )


def test_a_code_stands_once() -> None:
    assert "row 2 already" in _checked([CodeRow(2, "1", "a"), CodeRow(3, "1", "b")])[0].en


def test_an_agency_is_in_a_division_of_the_year() -> None:
    rows = [CodeRow(2, "101001", "办公厅", None, {"division": "450100"})]
    assert _checked(rows, "agency")[0].column == "division"
    assert not _checked(rows, "agency", divisions=frozenset({"450100"}))


def test_a_mapped_account_is_an_account() -> None:
    rows = [CodeRow(2, "5001", "支出", None, {"target": "501"})]
    assert _checked(rows, "account_map")[0].column == "code"
    assert not _checked(rows, "account_map", parents={"account": {"5001": None}})
    kept = {"account_map": {"5001": None}, "account": {"5001": None}}
    assert _checked([], "account", parents=kept, replace=True)[0].sheet == "account_map"
