"""What monitoring adds to the application: its routes, and what runs beside the requests."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter

from jincai.monitoring.workshop import api as workshop_api
from jincai.monitoring.workshop import draft_pages as workshop_drafts
from jincai.monitoring.workshop import pages as workshop_pages
from jincai.platform import Platform

ROUTERS: tuple[APIRouter, ...] = (
    workshop_api.router,
    workshop_drafts.router,
    workshop_pages.router,
)
RUNNING: tuple[Callable[[Platform], AbstractAsyncContextManager[None]], ...] = ()
