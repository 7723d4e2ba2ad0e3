"""The daily clearing over HTTP: `/api/v1/payment/clearings`."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from jincai import language, paging
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf
from psycopg import AsyncConnection

from jincai_payment.bank import clearing, zero
from jincai_payment.bank.clearing import Clearing, Day
from jincai_payment.bank.refused import or_http

router = APIRouter(prefix="/api/v1/payment/clearings", tags=["payment"])

_COUNT = """
SELECT count(*) FROM payment.clearing WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT *
  FROM payment.clearing
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY clearing_date DESC, id DESC
 LIMIT %(limit)s OFFSET %(offset)s
"""
Number = Annotated[int, Path(gt=0, lt=2**63)]


def whole(permission: str) -> object:
    """A dependency: who has ``permission`` for whole divisions, since their sums are no single unit's."""
    allowed = may(permission)

    def principal(request: Request, asked: Annotated[Principal, Depends(allowed)]) -> Principal:
        if asked.agencies is not None:
            zh = language.of(request) == "zh"
            raise HTTPException(
                403,
                "清算与零余额检查按区划进行,单位用户不能使用。"
                if zh
                else "Clearing and the zero-balance check are for whole divisions, not for a unit's people.",
            )
        return asked

    return Depends(principal)


Reader = Annotated[Principal, whole("payment.read")]
Maker = Annotated[Principal, whole("payment.review")]
Checker = Annotated[Principal, whole("payment.post")]


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Clearing]:
    """Clearing sheets of a division in a year, the newest first."""
    return await paging.fetch(cx, Clearing, rows=_ROWS, count=_COUNT, asked=asked)


@router.get("")
async def list_clearings(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Clearing]:
    """Clearing sheets of one division in one fiscal year."""
    return await database.read(lambda cx: find(cx, asked), token=principal.token)


@router.get("/zero-balance")
async def zero_balance(
    asked: Annotated[zero.Asked, Query()], database: DatabaseOf, principal: Reader
) -> zero.Report:
    """Whether every zero-balance account is zero at a day's end, and what each difference is called."""
    return await database.read(lambda cx: zero.report(cx, asked), token=principal.token)


@router.post("")
async def draw(asked: Day, request: Request, database: DatabaseOf, principal: Maker) -> Clearing:
    """Draw up the sheet of a day; asked again it is the same one, until it is confirmed."""
    return await or_http(
        request,
        database.write(
            lambda cx: clearing.draw(cx, asked, principal.actor), token=principal.token, repeatable=True
        ),
    )


@router.post("/{number}/confirm")
async def confirm(number: Number, request: Request, database: DatabaseOf, principal: Checker) -> Clearing:
    """Confirm and book a sheet that somebody else drew up; again books nothing again."""
    return await or_http(
        request,
        database.write(
            lambda cx: clearing.confirm(cx, number, principal.actor), token=principal.token, repeatable=True
        ),
    )


@router.post("/{number}/withdraw")
async def withdraw(number: Number, request: Request, database: DatabaseOf, principal: Maker) -> Clearing:
    """Take a sheet back that is not booked yet."""
    return await or_http(
        request,
        database.write(
            lambda cx: clearing.withdraw(cx, number, principal.actor), token=principal.token, repeatable=True
        ),
    )
