"""General ledger over HTTP: `/api/v1/ledger/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf

from jincai_ledger import vouchers
from jincai_ledger.vouchers import Voucher

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])

_Reader = Annotated[Principal, Depends(may("ledger.read"))]


@router.get("/vouchers")
async def list_vouchers(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[Voucher]:
    """Vouchers of one division in one fiscal year."""
    return await database.read(lambda cx: vouchers.find(cx, asked), token=principal.token)
