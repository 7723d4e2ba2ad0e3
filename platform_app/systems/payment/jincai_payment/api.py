"""Treasury centralised payment over HTTP: `/api/v1/payment/…`."""

from typing import Annotated

from fastapi import APIRouter, Query
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf

from jincai_payment import orders
from jincai_payment.orders import PaymentOrder

router = APIRouter(prefix="/api/v1/payment", tags=["payment"])


@router.get("/orders")
async def list_orders(asked: Annotated[BooksQuery, Query()], database: DatabaseOf) -> Page[PaymentOrder]:
    """Payment orders of one division in one fiscal year."""
    return await database.read(lambda cx: orders.find(cx, asked))
