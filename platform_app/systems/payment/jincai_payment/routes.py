"""Everything that treasury centralised payment answers over HTTP."""

from fastapi import APIRouter

from jincai_payment import (
    api,
    application_api,
    application_form_pages,
    application_pages,
    desk_api,
    inbox_pages,
    pages,
    plan_pages,
    voucher_pages,
)


def router() -> APIRouter:
    """The API under `/api/v1/payment` and the pages under `/payment`."""
    joined = APIRouter()
    # Before what a number may stand for: /new is none.
    written = (application_form_pages, application_pages)
    for part in (api, desk_api, application_api, pages, plan_pages, *written, inbox_pages, voucher_pages):
        joined.include_router(part.router)
    return joined
