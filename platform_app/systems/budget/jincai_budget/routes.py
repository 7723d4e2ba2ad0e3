"""Everything that department budget answers over HTTP."""

from fastapi import APIRouter

from jincai_budget import (
    api,
    api_changes,
    api_proposals,
    pages,
    pages_changes,
    pages_inbox,
    pages_lines,
    pages_proposals,
)


def router() -> APIRouter:
    """The API under `/api/v1/budget` and the pages under `/budget`."""
    joined = APIRouter()
    joined.include_router(api.router)
    joined.include_router(api_proposals.router)
    joined.include_router(api_changes.router)
    for shown in (pages, pages_proposals, pages_lines, pages_changes, pages_inbox):
        joined.include_router(shown.router)
    return joined
