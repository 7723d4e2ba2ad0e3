"""Bounds what a client may send: a body longer than the limit is answered with 413 and not read."""

import re

from fastapi import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jincai import language, problems

BODY_BYTES = 8 * 1024 * 1024
# Files of code tables: 10 MiB, and what a form puts around them.
FILE_PATH = re.compile(r"/(api/v1/)?standards/editions/[0-9]{4}/draft/import")
FILE_BYTES = 10 * 1024 * 1024 + 64 * 1024
# A unit's answer: five files of 5 MiB.
ANSWER_PATH = re.compile(r"/(api/v1/)?monitor/inquiries/[0-9]{1,19}")
ANSWER_BYTES = 25 * 1024 * 1024 + 64 * 1024


class BodyLimit:
    """ASGI middleware; ``limit`` in bytes, for announced and for chunked bodies alike.

    Where files are imported or sent along, `FILE_BYTES` or `ANSWER_BYTES` hold instead.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_BYTES) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        limit = self._of(connection.url.path)
        announced = connection.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            problem = problems.describe(413, language.of(connection), connection.url.path)
            await problems.response(problem)(scope, receive, send)
            return
        await self.app(scope, _counting(receive, limit), send)

    def _of(self, path: str) -> int:
        if FILE_PATH.fullmatch(path):
            return FILE_BYTES
        return ANSWER_BYTES if ANSWER_PATH.fullmatch(path) else self.limit


def _counting(receive: Receive, limit: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413)
        return message

    return counted
