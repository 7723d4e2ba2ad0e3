"""A step that cannot be taken, in both languages, and as an answer over HTTP."""

from collections.abc import Awaitable
from typing import TypeVar

import psycopg
from fastapi import HTTPException, Request
from jincai import language

T = TypeVar("T")


class RefusedError(Exception):
    """A step that cannot be taken; ``zh`` and ``en`` say why and the way out, ``status`` is HTTP's."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status, self.zh, self.en = status, zh, en


async def or_http(request: Request, work: Awaitable[T]) -> T:
    """What ``work`` gives; its refusal, or the ledger's, as an HTTP error.

    Raises:
        HTTPException: as `RefusedError` says; 409 for a closed period or a missing posting rule.
    """
    try:
        return await work
    except RefusedError as error:
        detail = error.zh if language.of(request) == "zh" else error.en
        raise HTTPException(error.status, detail) from error
    except psycopg.Error as error:
        if error.sqlstate in {"JC003", "JC004"}:
            raise HTTPException(409, error.diag.message_primary or "") from error
        raise
