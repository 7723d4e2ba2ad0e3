"""Everything that treasury centralised payment answers over HTTP."""

from fastapi import APIRouter

from jincai_payment import api, pages
from jincai_payment.bank import api as bank_api
from jincai_payment.bank import clearing_api, clearing_pages
from jincai_payment.bank import pages as bank_pages


def router() -> APIRouter:
    """The API under `/api/v1/payment` and the pages under `/payment`."""
    joined = APIRouter()
    joined.include_router(api.router)
    joined.include_router(pages.router)
    joined.include_router(bank_api.router)
    joined.include_router(clearing_api.router)
    joined.include_router(bank_pages.router)
    joined.include_router(clearing_pages.router)
    return joined
