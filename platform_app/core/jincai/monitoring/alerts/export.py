"""The list of alerts as Excel."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from fastapi import HTTPException, Request
from fastapi.responses import Response

from jincai import language, spreadsheet
from jincai.monitoring.alerts.alerts import Alert
from jincai.monitoring.alerts.words import DISPOSALS, FOUND_BY, LEVELS, STAGES, SUBJECTS
from jincai.pages.rendering import shanghai_second
from jincai.tables import EXPORT_MOST

_HEADINGS = (
    ("预警号", "Number"),
    ("级别", "Level"),
    ("发现时间", "Found at"),
    ("规则", "Rule"),
    ("规则名称", "Title"),
    ("版本", "Version"),
    ("区划", "Division"),
    ("区划名称", "Division's name"),
    ("单位", "Unit"),
    ("单位名称", "Unit's name"),
    ("业务日期", "Business date"),
    ("金额(元)", "Amount (yuan)"),
    ("阶段", "Stage"),
    ("处置", "Disposal"),
    ("对象", "About"),
    ("对象编号", "Its number"),
    ("发现方式", "Found"),
)


def refuse_too_many(request: Request, total: int) -> None:
    """A file is made in memory.

    Raises:
        HTTPException: 422, more rows than one holds.
    """
    if total > EXPORT_MOST:
        zh = f"共 {total} 条,一个文件最多 {EXPORT_MOST} 条。请增加查询条件后再导出。"
        en = f"{total} alerts; a file holds {EXPORT_MOST}. Set more conditions, then export."
        raise HTTPException(422, zh if language.of(request) == "zh" else en)


async def file(request: Request, alerts: Sequence[Alert]) -> Response:
    """The workbook, in the reader's language."""
    place = 0 if language.of(request) == "zh" else 1
    headings = [both[place] for both in _HEADINGS]
    rows = (_cells(one, place) for one in alerts)
    made = await asyncio.to_thread(spreadsheet.write_xlsx, {"alerts": (headings, rows)})
    headers = {"Content-Disposition": 'attachment; filename="alerts.xlsx"', "Cache-Control": "no-store"}
    return Response(made, media_type=spreadsheet.XLSX, headers=headers)


def _cells(one: Alert, place: int) -> list[spreadsheet.Cell]:
    return [
        one.id,
        LEVELS[one.level][place],
        shanghai_second(one.found_at),
        one.rule,
        (one.title, one.title_en)[place],
        one.version,
        one.division,
        one.division_name or "",
        one.agency_code,
        one.agency_name or "",
        one.as_of,
        Decimal(one.amount) / 100,
        STAGES[one.stage][place],
        DISPOSALS[one.disposal][place],
        SUBJECTS[one.subject][place],
        one.subject_id,
        FOUND_BY[one.found_by][place],
    ]
