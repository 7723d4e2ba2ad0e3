"""Reads code tables from CSV and XLSX, and writes them so that the same file reads back as the same rows.

Nothing in a file is run or trusted: sizes are bounded before a workbook is opened, formulas are refused.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, cast
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from jincai import spreadsheet
from jincai.standards import code_rows
from jincai.standards.code_rows import CodeRow
from jincai.standards.elements import ELEMENTS
from jincai.standards.mistakes import Mistakes

Encoding = Literal["utf-8", "gb18030"]
Tables = dict[str, list[CodeRow]]

FILE_BYTES = 10 * 1024 * 1024
ROWS_MOST = 100_000
# Of a workbook: what it unpacks to, how many files it has, and how many columns are looked at.
UNPACKED_BYTES = 100 * 1024 * 1024
MEMBERS_MOST = 500
COLUMNS_MOST = 20
_FORMULA = ("=", "+", "-", "@")

# What openpyxl, zipfile and the XML reader raise on files that are not what they say.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

_Numbered = Iterable[tuple[int, Sequence[str | None]]]


def read(content: bytes, element: str | None, encoding: Encoding) -> tuple[Tables, Mistakes]:
    """The tables in ``content``, by element, and everything wrong with its form.

    A workbook has one sheet per element, named like it; a CSV file is the table of ``element``.
    """
    mistakes = Mistakes()
    if zipfile.is_zipfile(io.BytesIO(content)) or content.startswith(b"PK"):
        return _read_xlsx(content, mistakes), mistakes
    if element is None:
        mistakes.add("", 0, "", "CSV文件须指明要素", "name the element that the CSV file holds")
        return {}, mistakes
    return {element: _read_csv(content, element, encoding, mistakes)}, mistakes


def _read_csv(content: bytes, element: str, encoding: Encoding, mistakes: Mistakes) -> list[CodeRow]:
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = ("若为GBK编码,请选 gb18030", "say encoding=gb18030 if it is GBK")
        zh, en = f"不是有效的 {encoding} 文本;{hint[0]}", f"is not valid {encoding}; {hint[1]}"
        mistakes.add(element, line, "", zh, en)
        return []
    return _table(element, element, _from_csv(text, element, mistakes), mistakes, 0)


def _from_csv(text: str, element: str, mistakes: Mistakes) -> _Numbered:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            number = reader.line_num
            yield number, [_unquoted(cell.strip(), element, number, mistakes) for cell in cells]
    except csv.Error as error:
        mistakes.add(element, reader.line_num, "", f"不是有效的CSV:{error}", f"is not valid CSV: {error}")


def _unquoted(text: str, element: str, number: int, mistakes: Mistakes) -> str | None:
    if not text.startswith(_FORMULA):
        return spreadsheet.unsafe(text)
    zh = f"“{text[:40]}”像公式:请在前面加一个撇号(')"
    en = f"“{text[:40]}” begins like a formula: put an apostrophe before it"
    mistakes.add(element, number, "", zh, en)
    return None


def _read_xlsx(content: bytes, mistakes: Mistakes) -> Tables:
    tables: Tables = {}
    try:
        if _too_large(content, mistakes):
            return {}
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        for name in book.sheetnames:
            sheet = book[name]
            if name not in ELEMENTS or not isinstance(sheet, ReadOnlyWorksheet):
                listed = ", ".join(ELEMENTS)
                mistakes.add(name, 0, "", f"工作表名应为要素之一:{listed}", f"name the sheet one of {listed}")
                continue
            before = sum(map(len, tables.values()))
            tables[name] = _table(name, name, _from_sheet(sheet, name, mistakes), mistakes, before)
    except _DAMAGED as error:
        reason = str(error)[:100]
        mistakes.add("", 0, "", f"不是有效的XLSX文件:{reason}", f"is not a valid XLSX file: {reason}")
    return tables


def _too_large(content: bytes, mistakes: Mistakes) -> bool:
    """Whether the workbook unpacks to more than code tables do; `zipfile` reads no more than it says."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = packed.infolist()
        unpacked = sum(one.file_size for one in members)
    if len(members) <= MEMBERS_MOST and unpacked <= UNPACKED_BYTES:
        return False
    zh = f"解压后过大({len(members)}个文件,{unpacked}字节);最多{MEMBERS_MOST}个、{UNPACKED_BYTES}字节"
    en = f"unpacks to {len(members)} files, {unpacked} bytes; {MEMBERS_MOST}, {UNPACKED_BYTES} at most"
    mistakes.add("", 0, "", zh, en)
    return True


def _from_sheet(sheet: ReadOnlyWorksheet, name: str, mistakes: Mistakes) -> _Numbered:
    # What the sheet says of its own size may be wrong.
    sheet.reset_dimensions()
    for number, cells in enumerate(cast("Worksheet", sheet).iter_rows(max_col=COLUMNS_MOST), 1):
        given = [_text(cell.data_type, cell.value) for cell in cells]
        for place, text in enumerate(given):
            if text is None:
                column = chr(ord("A") + place)
                zh, en = (
                    "应为文本或整数,不能是公式、日期或错误值",
                    "expected text or a whole number, no formula, date or error",
                )
                mistakes.add(name, number, column, zh, en)
        while given and given[-1] == "":
            given.pop()
        yield number, given


def _text(kind: str, value: object) -> str | None:
    """A cell's text, or None for what is none."""
    if value is None:
        return ""
    if kind in {"f", "e", "b", "d"}:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int) else None


def _table(element: str, sheet: str, numbered: _Numbered, mistakes: Mistakes, before: int) -> list[CodeRow]:
    """The rows under the headings; ``before`` so many rows stood in other sheets."""
    columns: list[str] | None = None
    found: list[CodeRow] = []
    for number, cells in numbered:
        if before + number > ROWS_MOST + 1:
            mistakes.add(
                sheet, number, "", f"一个文件最多{ROWS_MOST}行", f"a file holds {ROWS_MOST} rows at most"
            )
            break
        if None in cells or not any(cells):
            continue
        texts = [cell or "" for cell in cells]
        if columns is None:
            columns = texts
            if not code_rows.headings(element, sheet, columns, mistakes):
                return []
            continue
        if len(texts) > len(columns):
            mistakes.add(
                sheet, number, "", f"只应有{len(columns)}列", f"expected {len(columns)} columns only"
            )
            continue
        texts += [""] * (len(columns) - len(texts))
        if made := code_rows.row(element, sheet, number, dict(zip(columns, texts, strict=True)), mistakes):
            found.append(made)
    if columns is None and not mistakes.count:
        mistakes.add(sheet, 1, "", "没有表头", "has no headings")
    return found


def write_csv(element: str, rows: Iterable[CodeRow]) -> bytes:
    """The table as CSV: UTF-8 with a byte order mark, as Excel knows it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    columns = ELEMENTS[element].columns
    writer.writerow(columns)
    for one in rows:
        writer.writerow([spreadsheet.safe(text) for text in _cells(element, one)])
    return file.getvalue().encode("utf-8-sig")


def write_xlsx(tables: Mapping[str, Iterable[CodeRow]]) -> bytes:
    """The tables as a workbook, one sheet per element."""
    return spreadsheet.write_xlsx(
        {
            element: (ELEMENTS[element].columns, [_cells(element, one) for one in rows])
            for element, rows in tables.items()
        }
    )


def _cells(element: str, one: CodeRow) -> list[str]:
    rest = [one.attributes.get(name, "") for name in ELEMENTS[element].attributes]
    return [one.code, one.name, one.parent or "", *rest]
