"""What monitoring adds to the application: its routes, and what runs beside the requests."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter

from jincai.monitoring.alerts import api as alert_api
from jincai.monitoring.alerts import feed as alert_feed
from jincai.monitoring.alerts import pages as alert_pages
from jincai.monitoring.alerts import stream as alert_stream
from jincai.monitoring.statistics import pages as statistics
from jincai.platform import Platform

ROUTERS: tuple[APIRouter, ...] = (
    # The stream comes before any alert's number.
    alert_stream.router,
    alert_pages.router,
    alert_api.router,
    statistics.router,
)
RUNNING: tuple[Callable[[Platform], AbstractAsyncContextManager[None]], ...] = (alert_feed.running,)
