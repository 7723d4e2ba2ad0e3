"""Excel files and CSV that never run anything: what begins like a formula is written as text."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MONEY = "#,##0.00"

Cell = str | int | Decimal | date | None
Sheet = tuple[Sequence[str], Iterable[Sequence[Cell]]]

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# XML cannot hold these, so no sheet can.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def yuan(fen: int) -> Decimal:
    """Fen as a number in yuan; `write_xlsx` shows it with two decimals."""
    return Decimal(fen).scaleb(-2)


def safe(value: str) -> str:
    """``value`` for a cell of a CSV file: with an apostrophe before what would be run as a formula.

    An apostrophe already there gets another one, so that `unsafe` undoes exactly this.
    """
    return f"'{value}" if value.startswith((*_FORMULA, "'")) else value


def unsafe(value: str) -> str:
    """What `safe` was given."""
    return value[1:] if value.startswith("'") and value[1:].startswith((*_FORMULA, "'")) else value


def write_xlsx(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook: name of a sheet (31 characters at most) → its headings and its rows."""
    book = Workbook(write_only=True)
    for name, (headings, rows) in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.append([_cell(sheet, one) for one in headings])
        for row in rows:
            sheet.append([_cell(sheet, one) for one in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: WriteOnlyWorksheet, value: Cell) -> object:
    """The value as openpyxl writes it; a cell of its own only where one is needed, since those are slow."""
    if isinstance(value, Decimal):
        cell = WriteOnlyCell(sheet)
        cell.value = value
        cell.number_format = MONEY
        return cell
    if isinstance(value, str):
        text = _CONTROL.sub("\ufffd", value)
        if text.startswith(_FORMULA):
            cell = WriteOnlyCell(sheet, text)
            cell.data_type = "s"
            cell.quotePrefix = True
            return cell
        return text
    return value
