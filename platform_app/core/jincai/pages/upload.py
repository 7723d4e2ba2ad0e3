"""A form with a file, taken into memory: a deployed process writes no file, not even for a while."""

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from jincai import limits

FIELDS_MOST = 20


class _InMemory(MultiPartParser):
    spool_max_size = limits.FILE_BYTES


async def read(request: Request) -> tuple[dict[str, str], bytes]:
    """The form's fields, and its one file's content (empty if none was chosen).

    Raises:
        HTTPException: 400, it is no such form; 413, the body is too large.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400)
    parser = _InMemory(request.headers, request.stream(), max_files=1, max_fields=FIELDS_MOST)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise HTTPException(400) from None
    fields: dict[str, str] = {}
    content = b""
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
        else:
            fields[name] = value
    await form.close()
    return fields, content
