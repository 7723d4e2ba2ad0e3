"""Everything that treasury centralised payment answers over HTTP."""

from fastapi import APIRouter

from jincai_payment import api, application_api, desk_api, pages


def router() -> APIRouter:
    """The API under `/api/v1/payment` and the pages under `/payment`."""
    joined = APIRouter()
    joined.include_router(api.router)
    joined.include_router(desk_api.router)
    joined.include_router(application_api.router)
    joined.include_router(pages.router)
    return joined
