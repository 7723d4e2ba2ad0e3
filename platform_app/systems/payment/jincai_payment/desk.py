"""What plans and applications share: refusals in both languages, fields, and running a piece of work."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import psycopg
from fastapi import HTTPException, Request
from jincai import language
from jincai.auth.principal import Principal, PrincipalOf, require
from jincai.database import Work
from jincai.platform import Platform
from pydantic import Field

T = TypeVar("T")

# One answer handles at most so many at once.
CHOSEN_MOST = 500

# Printable text: PostgreSQL refuses NUL, and a name holds no control characters.
TEXT = r"^[^\x00-\x1f\x7f]*$"
Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Id = Annotated[int, Field(gt=0, lt=2**63)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=CHOSEN_MOST)]
# A reason of blanks says nothing.
Reason = Annotated[
    str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]


class DeskError(Exception):
    """Something that cannot be done, told in both languages; ``field`` names what is to be corrected."""

    def __init__(self, status: int, chinese: str, english: str, field: str = "") -> None:
        super().__init__(english)
        self.status = status
        self.words = (chinese, english)
        self.field = field

    def text(self, request: Request) -> str:
        """In the reader's language."""
        return self.words[0 if language.of(request) == "zh" else 1]


def may_one_of(*permissions: str) -> Callable[[Request, Principal], Principal]:
    """A dependency: the principal, if it has one of ``permissions``; which it needs, shows later."""

    def allowed(request: Request, principal: PrincipalOf) -> Principal:
        if principal.permissions.isdisjoint(permissions):
            require(request, principal, permissions[0])
        return principal

    return allowed


async def write(platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Run ``work``, which settles by keys and states whether it was done already, as ``principal``.

    Raises:
        DeskError: refused, by the work itself or by the books: nothing happened.
    """
    try:
        return await platform.database.write(work, token=principal.token, repeatable=True)
    except psycopg.Error as error:
        if refusal := _refusal(error):
            raise refusal from error
        raise


async def answer(request: Request, platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Like `write`, for the API: a refusal becomes its status and text."""
    try:
        return await write(platform, principal, work)
    except DeskError as error:
        raise HTTPException(error.status, error.text(request)) from error


def _refusal(error: psycopg.Error) -> DeskError | None:
    said = error.diag.message_primary or ""
    if error.sqlstate == "JC003":
        return DeskError(409, f"会计期间已结账,不能记账。请改用未结账期间的日期。({said})", said)
    if error.sqlstate == "JC004":
        return DeskError(409, f"没有适用的记账规则,请联系总会计。({said})", said)
    return None


async def look(request: Request, platform: Platform, principal: Principal, work: "Work[T]") -> T:
    """Like `answer`, for what only reads."""
    try:
        return await platform.database.read(work, token=principal.token)
    except DeskError as error:
        raise HTTPException(error.status, error.text(request)) from error
