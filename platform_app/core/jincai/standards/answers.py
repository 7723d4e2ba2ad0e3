"""What API and pages of the editions have in common: taking a file, giving one, and saying no."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from fastapi import HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from jincai import language, problems, spreadsheet
from jincai.database import Database
from jincai.standards import code_file, code_list, editions
from jincai.standards.cells import Encoding
from jincai.standards.code_file import FILE_BYTES, ROWS_MOST, Tables
from jincai.standards.editions import RefusedError
from jincai.standards.importing import MistakenError
from jincai.standards.mistakes import Mistake, Mistakes

# A file of the largest size takes some hundred MB while it is read.
READING_MOST = 2
_READING = threading.BoundedSemaphore(READING_MOST)


class FileMistake(problems.Mistake):
    """One mistake of a file; ``row`` counts the headings as 1, ``column`` is "" for the whole row."""

    sheet: str
    row: int
    column: str


class FileProblem(problems.Problem):
    """A file that was not taken; ``errors`` holds the first of its ``error_count`` mistakes."""

    errors: tuple[FileMistake, ...] = ()
    error_count: int


@dataclass(frozen=True)
class Exported:
    """What is to be exported: an edition, or one element of it; CSV holds one element."""

    year: int
    number: int
    element: str | None
    form: Literal["csv", "xlsx"]


@contextmanager
def refusals(request: Request) -> Iterator[None]:
    """Turns what the domain refuses into an answer in the reader's language."""
    try:
        yield
    except RefusedError as error:
        raise HTTPException(error.status, said(request, error.zh, error.en)) from error


def said(request: Request, zh: str, en: str) -> str:
    """The text in the reader's language."""
    return zh if language.of(request) == "zh" else en


async def take(content: bytes, element: str | None, encoding: Encoding) -> Tables:
    """The tables in the file.

    Raises:
        MistakenError: something is wrong with the file's form.
        RefusedError: 413, it is too large; 503, `READING_MOST` are being read.
    """
    if len(content) > FILE_BYTES:
        most = FILE_BYTES // 2**20
        raise RefusedError(413, f"文件最大{most} MB。", f"A file has {most} MB at most.")
    if not _READING.acquire(blocking=False):
        raise RefusedError(
            503, "正在读取其他文件,请稍后重试。", "Other files are being read: try again shortly."
        )
    try:
        # In a thread: a large file takes seconds, and others are waiting.
        tables, mistakes = await asyncio.to_thread(code_file.read, content, element, encoding)
    finally:
        _READING.release()
    if mistakes.count:
        raise MistakenError(mistakes)
    return tables


def not_taken(request: Request, mistakes: Mistakes) -> Response:
    """The problem document about a file's mistakes; nothing of it was imported."""
    count = mistakes.count
    zh = f"文件有{count}处错误,未导入任何内容。"
    en = f"{count} mistakes; nothing of the file was imported."
    usual = problems.describe(422, language.of(request), request.url.path, said(request, zh, en))
    given = usual.model_dump() | {"errors": [_mistake(request, one) for one in mistakes.first]}
    return problems.response(FileProblem.model_validate(given | {"error_count": count}))


def _mistake(request: Request, one: Mistake) -> FileMistake:
    place = ".".join(part for part in (one.sheet, str(one.row or ""), one.column) if part)
    message = said(request, one.zh, one.en)
    return FileMistake(
        where="body", field=place, message=message, sheet=one.sheet, row=one.row, column=one.column
    )


async def exported(database: Database, token: str, asked: Exported) -> Response:
    """The file; reading it back gives what the edition holds.

    Raises:
        RefusedError: 404, no such edition; 422, CSV without an element, or more rows than a file holds.
    """
    if asked.form == "csv" and asked.element is None:
        raise RefusedError(422, "CSV须指明要素(element)。", "Name the element: CSV holds one.")

    async def ask(cx: AsyncConnection) -> Tables:
        edition = await editions.get(cx, asked.year, asked.number)
        counted = await code_list.counts(cx, asked.year, asked.number)
        if (counted[asked.element] if asked.element else sum(counted.values())) > ROWS_MOST:
            zh, en = (
                f"超过{ROWS_MOST}行,请按要素导出。",
                f"More than {ROWS_MOST} rows: export one element at a time.",
            )
            raise RefusedError(422, zh, en)
        return await code_list.tables(cx, edition, asked.element)

    tables = await database.read(ask, token=token)
    if asked.form == "csv" and asked.element:
        made = await asyncio.to_thread(code_file.write_csv, asked.element, tables[asked.element])
    else:
        made = await asyncio.to_thread(code_file.write_xlsx, tables)
    what = f"-{asked.element}" if asked.element else ""
    name = f"standards-{asked.year}-{asked.number}{what}.{asked.form}"
    return Response(
        made,
        media_type="text/csv; charset=utf-8" if asked.form == "csv" else spreadsheet.XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
