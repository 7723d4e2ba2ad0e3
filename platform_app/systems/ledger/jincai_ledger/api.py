"""General ledger over HTTP: `/api/v1/ledger/…`."""

from typing import Annotated

from fastapi import APIRouter, Query
from jincai.auth.principal import PrincipalOf
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf

from jincai_ledger import vouchers
from jincai_ledger.vouchers import Voucher

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])


@router.get("/vouchers")
async def list_vouchers(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: PrincipalOf
) -> Page[Voucher]:
    """Vouchers of one division in one fiscal year."""
    return await database.read(lambda cx: vouchers.find(cx, asked), token=principal.token)
