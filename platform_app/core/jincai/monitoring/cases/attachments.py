"""附件: what a unit sends along, told by its first bytes, small enough, and given back as a download."""

import asyncio
import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from jincai.monitoring.cases.states import CaseError

Kind = Literal["pdf", "png", "jpg", "xlsx", "docx", "txt"]
FILE_BYTES = 5 * 2**20
FILES_MOST = 5
FIELDS_MOST = 20
NAME_MOST = 150

# Each may be 25 MiB in memory.
READING_MOST = 8
READING_SECONDS = 120
_READING = threading.BoundedSemaphore(READING_MOST)

TYPES: dict[str, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "txt": "text/plain; charset=utf-8",
}
_ENDINGS = {"jpeg": "jpg", "csv": "txt"}
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")
_UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_READ = "SELECT name, kind, bytes FROM monitor.case_attachment WHERE case_id = %s AND id = %s"


@dataclass(frozen=True)
class File:
    """A file that was checked."""

    name: str
    kind: Kind
    content: bytes

    @property
    def sha256(self) -> bytes:
        """Of its content."""
        return hashlib.sha256(self.content).digest()


class _InMemory(MultiPartParser):
    # A deployed process writes no file, not even for a while.
    spool_max_size = FILES_MOST * (FILE_BYTES + 2**20)


async def read_form(request: Request) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """The form's fields, and name and content of its files.

    Raises:
        HTTPException: 400, it is no such form, or does not come in two minutes; 503, many come already.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400)
    if not _READING.acquire(blocking=False):
        raise HTTPException(503)
    try:
        async with asyncio.timeout(READING_SECONDS):
            return await _read_form(request)
    except TimeoutError:
        raise HTTPException(400) from None
    finally:
        _READING.release()


async def _read_form(request: Request) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    # One more than may be, so that too many are told as such.
    parser = _InMemory(request.headers, request.stream(), max_files=FILES_MOST + 1, max_fields=FIELDS_MOST)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise HTTPException(400) from None
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            if name != "files":  # a client's way to say that there is none
                fields[name] = value
        elif value.filename:
            files.append((value.filename, await value.read(FILE_BYTES + 1)))
    await form.close()
    return fields, files


def checked(given: Sequence[tuple[str, bytes]]) -> list[File]:
    """The files, each of a kind that may be.

    Raises:
        CaseError: 422, names the file and what is wrong with it.
    """
    if len(given) > FILES_MOST:
        raise _refused(f"附件最多 {FILES_MOST} 个。", f"At most {FILES_MOST} attachments.")
    return [_checked(name, content) for name, content in given]


def _checked(given: str, content: bytes) -> File:
    name = _FORBIDDEN.sub("_", given.replace("\\", "/").rsplit("/", 1)[-1]).strip()[-NAME_MOST:]
    if not name:
        raise _refused("附件没有文件名。", "An attachment has no name.")
    if not content:
        raise _refused(f"附件“{name}”是空的。", f"Attachment {name} is empty.")
    if len(content) > FILE_BYTES:
        most = FILE_BYTES // 2**20
        raise _refused(f"附件“{name}”超过 {most} MB。", f"Attachment {name} is larger than {most} MB.")
    kind = _kind(content)
    ending = name.rsplit(".", 1)[-1].lower()
    if kind is None or _ENDINGS.get(ending, ending) != kind:
        raise _refused(
            f"附件“{name}”不是 PDF、PNG、JPG、XLSX、DOCX 或 UTF-8 文本(TXT、CSV),或扩展名与内容不符。",
            f"Attachment {name} is no PDF, PNG, JPG, XLSX, DOCX or UTF-8 text (TXT, CSV),"
            " or not what it is called.",
        )
    return File(name, kind, content)


def _kind(content: bytes) -> Kind | None:
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    try:
        return None if _UNPRINTED.search(content.decode("utf-8-sig")) else "txt"
    except UnicodeDecodeError:
        return None


def _office(content: bytes) -> Kind | None:
    """By the names in it: nothing is unpacked."""
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names:
        return None
    return "xlsx" if "xl/workbook.xml" in names else "docx" if "word/document.xml" in names else None


def _refused(chinese: str, english: str) -> CaseError:
    return CaseError(422, chinese, english, "files")


async def read(cx: AsyncConnection, case_id: int, attachment_id: int) -> File:
    """One attachment.

    Raises:
        CaseError: 404, there is none that this session may see.
    """
    row = await (await cx.execute(_READ, (case_id, attachment_id))).fetchone()
    if row is None:
        raise CaseError(404, f"没有附件 {attachment_id}。", f"There is no attachment {attachment_id}.")
    return File(row[0], row[1], bytes(row[2]))


def download(file: File) -> Response:
    """The file as a download: a browser never shows it under our address."""
    name = f"attachment.{file.kind}"
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(file.content, media_type=TYPES[file.kind], headers=headers)
