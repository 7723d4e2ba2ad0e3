"""Alerts over HTTP: `/api/v1/monitor/alerts`."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from psycopg import AsyncConnection
from pydantic import Field

from jincai import language
from jincai.auth.principal import Principal, may
from jincai.monitoring.alerts import alerts
from jincai.monitoring.alerts.alerts import Alert, Id, Whole
from jincai.monitoring.alerts.tables import ALERTS
from jincai.monitoring.rule import Disposal, Level, Stage
from jincai.paging import DivisionCode, Page, PageQuery, Year
from jincai.platform import Platform, PlatformOf

router = APIRouter(prefix="/api/v1/monitor", tags=["monitor"])

Reader = Annotated[Principal, Depends(may("monitor.read"))]


class AlertQuery(PageQuery):
    """Which alerts; what is not given does not filter. Dates are business dates, both included."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    agency_code: Annotated[str, Field(max_length=30, pattern=r"^[0-9A-Za-z.-]+$")] | None = None
    level: Level | None = None
    rule: Annotated[str, Field(pattern=r"^R[1-9][0-9]{0,3}$")] | None = None
    stage: Stage | None = None
    disposal: Disposal | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None


@router.get("/alerts")
async def list_alerts(
    asked: Annotated[AlertQuery, Query()], platform: PlatformOf, principal: Reader
) -> Page[Alert]:
    """Alerts that the asker may see, newest first."""
    address = ALERTS.address().model_validate(asked.model_dump())

    async def ask(cx: AsyncConnection) -> Page[Alert]:
        total = await ALERTS.count(cx, address)
        found = await alerts.dressed(cx, await ALERTS.find(cx, address, asked.limit))
        return Page(items=found, total=total, limit=asked.limit, offset=asked.offset)

    return await platform.database.read(ask, token=principal.token)


@router.get("/alerts/{alert_id}")
async def read_alert(alert_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Whole:
    """One alert with everything about it."""
    return await look(request, platform, principal, alert_id)


async def look(request: Request, platform: Platform, principal: Principal, alert_id: int) -> Whole:
    """The alert, as ``principal`` may see it.

    Raises:
        HTTPException: 404, there is no such alert in its divisions and units.
    """
    found = await platform.database.read(lambda cx: alerts.one(cx, alert_id), token=principal.token)
    if found is None:
        zh = language.of(request) == "zh"
        text = f"没有预警 {alert_id},或不在您可查看的区划、单位之内。"
        raise HTTPException(404, text if zh else f"No alert {alert_id} among those you may see.")
    return found
