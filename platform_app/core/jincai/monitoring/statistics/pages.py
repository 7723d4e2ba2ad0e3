"""`/monitor/statistics`: tables with a chart beside each; without scripts the tables alone."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from jincai import language, spreadsheet
from jincai.auth.principal import Principal, may
from jincai.monitoring.alerts.words import LEVELS
from jincai.monitoring.statistics import figures, tables
from jincai.monitoring.statistics.figures import Asked
from jincai.pages import rendering
from jincai.platform import PlatformOf

router = APIRouter(prefix="/monitor/statistics", include_in_schema=False)

Reader = Annotated[Principal, Depends(may("monitor.read"))]


@router.get("")
async def statistics_page(
    request: Request, platform: PlatformOf, principal: Reader, asked: Annotated[Asked, Query()]
) -> Response:
    """How many alerts, by month, rule, place and unit, each by level."""
    found = await platform.database.read(lambda cx: figures.read(cx, asked), token=principal.token)
    context = {
        "asked": asked,
        "whole": found.whole,
        "rules": found.rules_in_use,
        "levels": LEVELS,
        "zh": language.of(request) == "zh",
        "tables": [one for one in tables.of(found) if one.lines],
        "where": lambda table, line: tables.where(table, line, asked),
    }
    return rendering.page(request, platform, "statistics.html", context)


@router.get("/export")
async def statistics_file(
    request: Request, platform: PlatformOf, principal: Reader, asked: Annotated[Asked, Query()]
) -> Response:
    """The same as a workbook, a sheet for each table."""
    found = await platform.database.read(lambda cx: figures.read(cx, asked), token=principal.token)
    zh = language.of(request) == "zh"
    sheets = {one.title[0 if zh else 1]: one.sheet(zh=zh) for one in tables.of(found)}
    made = await asyncio.to_thread(spreadsheet.write_xlsx, sheets)
    headers = {
        "Content-Disposition": 'attachment; filename="alert-statistics.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(made, media_type=spreadsheet.XLSX, headers=headers)
