"""What monitoring adds to the application: its routes, and what runs beside the requests."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter

from jincai.monitoring.alerts import api as alert_api
from jincai.monitoring.alerts import feed as alert_feed
from jincai.monitoring.alerts import pages as alert_pages
from jincai.monitoring.alerts import stream as alert_stream
from jincai.monitoring.cases import api as cases_api
from jincai.monitoring.cases import deadlines, inquiry_pages
from jincai.monitoring.cases import pages as case_pages
from jincai.monitoring.statistics import pages as statistics
from jincai.monitoring.sweeps import api as sweeps_api
from jincai.monitoring.sweeps import back_test_pages, schedule
from jincai.monitoring.sweeps import pages as sweep_pages
from jincai.monitoring.workshop import api as workshop_api
from jincai.monitoring.workshop import draft_pages as workshop_drafts
from jincai.monitoring.workshop import pages as workshop_pages
from jincai.platform import Platform

ROUTERS: tuple[APIRouter, ...] = (
    # The stream comes before any alert's number.
    alert_stream.router,
    alert_pages.router,
    alert_api.router,
    statistics.router,
    cases_api.router,
    case_pages.router,
    inquiry_pages.router,
    workshop_api.router,
    workshop_drafts.router,
    workshop_pages.router,
    sweeps_api.router,
    sweep_pages.router,
    back_test_pages.router,
)
RUNNING: tuple[Callable[[Platform], AbstractAsyncContextManager[None]], ...] = (
    alert_feed.running,
    schedule.running,
    deadlines.running,
)
