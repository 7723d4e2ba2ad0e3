"""What the ledger does not do, said in both languages with the way out."""

from collections.abc import Awaitable
from typing import TypeVar

import psycopg
from fastapi import HTTPException, Request
from jincai import language

T = TypeVar("T")

# What the database refuses by itself → Chinese and English; the database's own words name the thing.
_BY_STATE = {
    "JC003": (
        "期间已结账,不能再记账;请记入未结账的期间",
        "the period is closed; book it in one that is open",
    ),
    "JC005": ("凭证借贷不平", "the voucher does not balance"),
}
_NOT_YOURS = (
    "这个区划不在您的授权范围内,请联系安全管理员",
    "this division is beyond your grants: ask the security administrator",
)
_BY_CONSTRAINT = {
    "voucher_undone_once": (
        "这张凭证已被冲销,不能再次冲销",
        "this voucher was undone already, and is so only once",
    ),
    "voucher_draft_undoes": (
        "这张凭证已有待处理的冲销单,请先复核或撤销它",
        "a correction of this voucher is waiting already: book or withdraw it first",
    ),
}


class RefusedError(Exception):
    """A step that is not taken: ``status`` for HTTP, the reason and the way out in both languages."""

    def __init__(self, chinese: str, english: str, status: int = 409) -> None:
        super().__init__(english)
        self.chinese = chinese
        self.english = english
        self.status = status


async def answered(request: Request, work: Awaitable[T]) -> T:
    """What ``work`` gives; refusals become problems in the reader's language.

    Raises:
        HTTPException: 4xx with what was refused and the way out.
    """
    zh = language.of(request) == "zh"
    try:
        return await work
    except RefusedError as error:
        raise HTTPException(error.status, error.chinese if zh else error.english) from error
    except psycopg.Error as error:
        refused = of_database(error)
        if refused is None:
            raise
        raise HTTPException(refused.status, refused.chinese if zh else refused.english) from error


def of_database(error: psycopg.Error) -> RefusedError | None:
    """The refusal that the database meant, or None for an error of another kind."""
    if said := _BY_CONSTRAINT.get(error.diag.constraint_name or ""):
        return RefusedError(*said)
    if said := _BY_STATE.get(error.sqlstate or ""):
        detail = error.diag.message_primary or ""
        return RefusedError(f"{said[0]}({detail})", f"{said[1]} ({detail})")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):  # row-level security
        return RefusedError(*_NOT_YOURS, status=403)
    return None
