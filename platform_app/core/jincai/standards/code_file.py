"""Reads code tables from CSV and XLSX, and writes them so that the same file reads back as the same rows.

Nothing in a file is run or trusted: sizes are bounded before a workbook is opened, formulas are refused.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from jincai import spreadsheet
from jincai.standards import code_rows
from jincai.standards.cells import DAMAGED, Encoding, Numbered, decoded, from_csv, from_sheet, too_large
from jincai.standards.code_rows import CodeRow
from jincai.standards.elements import ELEMENTS
from jincai.standards.mistakes import Mistakes

Tables = dict[str, list[CodeRow]]

FILE_BYTES = 10 * 1024 * 1024
ROWS_MOST = 100_000


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
    text = decoded(content, element, encoding, mistakes)
    if text is None:
        return []
    return _table(element, element, from_csv(text, element, mistakes), mistakes, 0)


def _read_xlsx(content: bytes, mistakes: Mistakes) -> Tables:
    tables: Tables = {}
    try:
        if too_large(content, mistakes):
            return {}
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        for name in book.sheetnames:
            sheet = book[name]
            if name not in ELEMENTS or not isinstance(sheet, ReadOnlyWorksheet):
                listed = ", ".join(ELEMENTS)
                mistakes.add(name, 0, "", f"工作表名应为要素之一:{listed}", f"name the sheet one of {listed}")
                continue
            before = sum(map(len, tables.values()))
            tables[name] = _table(name, name, from_sheet(sheet, name, mistakes), mistakes, before)
    except DAMAGED as error:
        reason = str(error)[:100]
        mistakes.add("", 0, "", f"不是有效的XLSX文件:{reason}", f"is not a valid XLSX file: {reason}")
    return tables


def _table(element: str, sheet: str, numbered: Numbered, mistakes: Mistakes, before: int) -> list[CodeRow]:
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
