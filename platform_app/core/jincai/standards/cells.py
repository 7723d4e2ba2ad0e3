"""The cells of CSV files and workbooks as text, row by row, whatever table they hold.

Nothing in a file is run or trusted: sizes are bounded before a workbook is opened, formulas are refused.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, cast
from xml.etree.ElementTree import ParseError

from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from jincai import spreadsheet
from jincai.standards.mistakes import Mistakes

Encoding = Literal["utf-8", "gb18030"]
# A row's number, and its cells; None for one that holds what it may not.
Numbered = Iterable[tuple[int, Sequence[str | None]]]
# What openpyxl says a cell is, and its value → its text, or None.
Reader = Callable[[str, object], str | None]

# Of a workbook: what it unpacks to, how many files it has, and how many columns are looked at.
UNPACKED_BYTES = 100 * 1024 * 1024
MEMBERS_MOST = 500
COLUMNS_MOST = 20
_FORMULA = ("=", "+", "-", "@")
_WHOLE = (
    "应为文本或整数,不能是公式、日期或错误值",
    "expected text or a whole number, no formula, date or error",
)

# What openpyxl, zipfile and the XML reader raise on files that are not what they say.
DAMAGED = (
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


def decoded(content: bytes, name: str, encoding: Encoding, mistakes: Mistakes) -> str | None:
    """The text of a CSV file; None, with a mistake, if it is in another encoding."""
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = ("若为GBK编码,请选 gb18030", "say encoding=gb18030 if it is GBK")
        zh, en = f"不是有效的 {encoding} 文本;{hint[0]}", f"is not valid {encoding}; {hint[1]}"
        mistakes.add(name, line, "", zh, en)
        return None


def from_csv(text: str, element: str, mistakes: Mistakes) -> Numbered:
    """The numbered rows of a CSV file; of a row of several lines its last one's number."""
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


def whole_text(kind: str, value: object) -> str | None:
    """A cell's text or whole number as text, or None for what is neither."""
    if value is None:
        return ""
    if kind in {"f", "e", "b", "d"}:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int) else None


def too_large(content: bytes, mistakes: Mistakes) -> bool:
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


def from_sheet(
    sheet: ReadOnlyWorksheet,
    name: str,
    mistakes: Mistakes,
    text: Reader = whole_text,
    expected: tuple[str, str] = _WHOLE,
) -> Numbered:
    """The numbered rows of a sheet; ``text`` reads a cell, and ``expected`` says what it can."""
    # What the sheet says of its own size may be wrong.
    sheet.reset_dimensions()
    for number, cells in enumerate(cast("Worksheet", sheet).iter_rows(max_col=COLUMNS_MOST), 1):
        given = [text(cell.data_type, cell.value) for cell in cells]
        for place, read in enumerate(given):
            if read is None:
                column = chr(ord("A") + place)
                mistakes.add(name, number, column, *expected)
        while given and given[-1] == "":
            given.pop()
        yield number, given
