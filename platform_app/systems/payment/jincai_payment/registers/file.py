"""Files of entries: CSV, or a workbook's first sheet; every mistake is told by sheet, row and column."""

import asyncio
import datetime as dt
import io
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from jincai import problems
from jincai.auth.principal import Principal
from jincai.platform import Platform
from jincai.standards import cells
from jincai.standards.cells import Encoding, Numbered
from jincai.standards.importing import MistakenError
from jincai.standards.mistakes import Mistakes
from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from psycopg import AsyncConnection
from pydantic import ValidationError

from jincai_payment import desk
from jincai_payment.desk import DeskError
from jincai_payment.registers import keeping
from jincai_payment.registers.entry import Entry
from jincai_payment.registers.keeping import Added, Wrong
from jincai_payment.registers.register import LIMIT_KINDS, Register

FILE_BYTES = 4 * 1024 * 1024
ROWS_MOST = 10_000
# A file of the largest size takes some ten MB while it is read.
READING_MOST = 2
_READING = threading.BoundedSemaphore(READING_MOST)
_EXPECTED = (
    "应为文本、数或日期,不能是公式或错误值",
    "expected text, a number or a date, no formula or error",
)
_KINDS = {word: code for code, both in LIMIT_KINDS.items() for word in both}


@dataclass(frozen=True)
class Table:
    """The entries of a file; ``rows`` says in which row each stands, ``sheet`` in which sheet."""

    sheet: str
    rows: Sequence[int]
    entries: Sequence[Entry]

    def mistaken(self, wrong: Sequence[Wrong]) -> MistakenError:
        """What only the database could tell of these entries, as mistakes of the file."""
        mistakes = Mistakes()
        for one in wrong:
            mistakes.add(self.sheet, self.rows[one.place], one.field, one.zh, one.en)
        return MistakenError(mistakes)


async def take(content: bytes, register: Register, encoding: Encoding) -> Table:
    """The entries in the file.

    Raises:
        MistakenError: something is wrong in it.
        DeskError: 413, it is too large; 422, it is empty; 503, `READING_MOST` others are being read.
    """
    if not content:
        raise DeskError(422, "请选择文件,文件不能为空。", "Choose a file that is not empty.", "file")
    if len(content) > FILE_BYTES:
        most = FILE_BYTES // 2**20
        raise DeskError(413, f"文件最大 {most} MB。", f"A file has {most} MB at most.", "file")
    if not _READING.acquire(blocking=False):
        raise DeskError(
            503, "正在读取其他文件,请稍后重试。", "Other files are being read: try again shortly."
        )
    try:
        # In a thread: a large file takes a second, and others are waiting.
        found, mistakes = await asyncio.to_thread(read, content, register, encoding)
    finally:
        _READING.release()
    if mistakes.count:
        raise MistakenError(mistakes)
    return found


async def bring(
    platform: Platform, principal: Principal, register: Register, content: bytes, encoding: Encoding
) -> Added:
    """Add the file's entries: all of them, or, with any mistake, none.

    Raises:
        MistakenError: something is wrong in it.
        DeskError: as `take` and `keeping.add`.
    """
    table = await take(content, register, encoding)

    async def add(cx: AsyncConnection) -> Added:
        found, made = await keeping.add(cx, principal, register, table.entries)
        if found.wrong:
            raise table.mistaken(found.wrong)
        return Added(added=len(made), unchanged=len(table.entries) - len(made))

    return await desk.write(platform, principal, add)


def read(content: bytes, register: Register, encoding: Encoding) -> tuple[Table, Mistakes]:
    """The entries in the file, and everything wrong with it."""
    mistakes = Mistakes()
    if zipfile.is_zipfile(io.BytesIO(content)) or content.startswith(b"PK"):
        return _from_workbook(content, register, mistakes), mistakes
    text = cells.decoded(content, register.name, encoding, mistakes)
    numbered = cells.from_csv(text, register.name, mistakes) if text is not None else ()
    return _table(register, register.name, numbered, mistakes), mistakes


def _from_workbook(content: bytes, register: Register, mistakes: Mistakes) -> Table:
    try:
        if not cells.too_large(content, mistakes):
            book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
            name = book.sheetnames[0]
            sheet = book[name]
            if isinstance(sheet, ReadOnlyWorksheet):
                numbered = cells.from_sheet(sheet, name, mistakes, _text, _EXPECTED)
                return _table(register, name, numbered, mistakes)
            mistakes.add(name, 0, "", "第一个工作表不是表格", "the first sheet is no table")
    except cells.DAMAGED as error:
        reason = str(error)[:100]
        mistakes.add("", 0, "", f"不是有效的XLSX文件:{reason}", f"is not a valid XLSX file: {reason}")
    return Table(register.name, (), ())


def _text(kind: str, value: object) -> str | None:
    """Dates and amounts too, which code tables have none of."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else None
    if kind == "n" and isinstance(value, float) and not value.is_integer():
        # As Excel shows an amount: a binary fraction has no end.
        return repr(round(value, 6))
    return cells.whole_text(kind, value)


def _table(register: Register, sheet: str, numbered: Numbered, mistakes: Mistakes) -> Table:
    columns: list[str] | None = None
    rows: list[int] = []
    entries: list[Entry] = []
    for number, given in numbered:
        if None in given or not any(given):
            continue
        if len(rows) >= ROWS_MOST:
            zh, en = f"一个文件最多 {ROWS_MOST} 条", f"a file holds {ROWS_MOST} entries at most"
            mistakes.add(sheet, number, "", zh, en)
            break
        texts = [one or "" for one in given]
        if columns is None:
            columns = _headings(register, sheet, number, texts, mistakes)
            if columns is None:
                return Table(sheet, (), ())
        elif len(texts) > len(columns):
            wide = len(columns)
            mistakes.add(sheet, number, "", f"只应有 {wide} 列", f"expected {wide} columns only")
        elif made := _entry(register, sheet, number, dict(zip(columns, texts, strict=False)), mistakes):
            rows.append(number)
            entries.append(made)
    if not entries and not mistakes.count:
        mistakes.add(sheet, 1, "", "文件中没有数据", "holds no entries")
    return Table(sheet, rows, entries)


def _headings(
    register: Register, sheet: str, number: int, found: Sequence[str], mistakes: Mistakes
) -> list[str] | None:
    """Fields, as the headings name them: by Chinese or English title, or by the field itself."""
    before = mistakes.count
    names = {word: field for field, both in register.fields.items() for word in (field, *both)}
    listed = ",".join(zh for zh, _ in register.fields.values())
    fields = [names.get(one, "") for one in found]
    for heading, field in zip(found, fields, strict=True):
        if not field:
            zh, en = f"没有此列;应有 {listed}", f"is no column here; expected {', '.join(register.fields)}"
            mistakes.add(sheet, number, heading[:40], zh, en)
        elif fields.count(field) > 1:
            mistakes.add(sheet, number, heading, "此列出现两次", "stands there twice")
    for field, (zh, en) in register.fields.items():
        if field not in fields and field not in register.optional:
            mistakes.add(sheet, number, zh, f"缺少此列;应有 {listed}", f"is missing ({en}, {field})")
    return fields if mistakes.count == before else None


def _entry(
    register: Register, sheet: str, number: int, given: dict[str, str], mistakes: Mistakes
) -> Entry | None:
    filled = {name: text for name, text in given.items() if text != ""}
    if "kind" in filled:
        filled["kind"] = _KINDS.get(filled["kind"], filled["kind"])
    try:
        return register.written.model_validate(filled)
    except ValidationError as error:
        errors = [{**one, "loc": ("file", *one["loc"])} for one in error.errors()]
        zh, en = problems.mistakes(errors, "zh"), problems.mistakes(errors, "en")
        for chinese, english in zip(zh, en, strict=True):
            field = chinese.field
            heading = register.fields.get(field, (field, field))[0]
            shown = filled.get(field, "")[:40]
            mistakes.add(
                sheet, number, heading, f"“{shown}”:{chinese.message}", f"“{shown}”: {english.message}"
            )
    return None
