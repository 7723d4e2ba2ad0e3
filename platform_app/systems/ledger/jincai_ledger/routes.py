"""Everything that general ledger answers over HTTP."""

from fastapi import APIRouter

from jincai_ledger import api, pages


def router() -> APIRouter:
    """The API under `/api/v1/ledger` and the pages under `/ledger`."""
    joined = APIRouter()
    joined.include_router(api.router)
    joined.include_router(pages.router)
    return joined
