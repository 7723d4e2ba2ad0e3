"""Everything that general ledger answers over HTTP."""

from fastapi import APIRouter

from jincai_ledger import (
    api,
    api_closing,
    api_drafts,
    api_reports,
    pages,
    pages_closing,
    pages_drafts,
    pages_reports,
    pages_voucher,
)


def router() -> APIRouter:
    """The API under `/api/v1/ledger` and the pages under `/ledger`."""
    joined = APIRouter()
    for part in (api, api_drafts, api_closing, api_reports):
        joined.include_router(part.router)
    for part in (pages, pages_drafts, pages_voucher, pages_closing, pages_reports):
        joined.include_router(part.router)
    return joined
