"""What the pages of cases share: a list with its Excel file, and where the record of a case is to be seen."""

import asyncio
import datetime as dt
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError

from jincai import language, problems, spreadsheet
from jincai.auth.principal import Principal
from jincai.monitoring.cases import states
from jincai.monitoring.cases.case import CaseFile
from jincai.pages.forms import Form
from jincai.tables import EXPORT_MOST, Address, Row, Table

# What a case is about → where it is shown, and which permission that needs.
_PLACES = {
    "payment": ("/payment/payments/{}", "payment.read"),
    "held": ("/payment/held/{}", "payment.read"),
    "indicator": ("/budget/indicators/{}", "budget.read"),
}
SUBJECTS = {
    "payment": ("支付凭证", "Payment"),
    "held": ("被拦截的支付", "Held payment"),
    "indicator": ("指标", "Indicator"),
}
WORDS = {
    "states": states.STATES,
    "actions": states.ACTIONS,
    "levels": states.LEVELS,
    "escalations": states.ESCALATIONS,
    "disposals": states.DISPOSALS,
    "conclusions": states.CONCLUSIONS,
    "subjects": SUBJECTS,
}


def place(one: CaseFile, principal: Principal) -> str:
    """The address of what the case is about; "" if ``principal`` may not look at it."""
    address, permission = _PLACES[one.subject]
    return address.format(one.subject_id) if permission in principal.permissions else ""


def asked(request: Request, table: Table, **usual: str) -> Address:
    """What the address asks of ``table``; ``usual`` where it says nothing.

    Raises:
        RequestValidationError: it asks something else.
    """
    try:
        return table.address().model_validate(usual | dict(request.query_params))
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        ) from error


def refuse_too_many(request: Request, total: int) -> None:
    """No file of more rows than one holds.

    Raises:
        HTTPException: 422.
    """
    if total > EXPORT_MOST:
        zh = f"共 {total} 行,一个文件最多 {EXPORT_MOST} 行。请增加查询条件后再导出。"
        en = f"{total} rows; a file holds {EXPORT_MOST}. Set more conditions, then export."
        raise HTTPException(422, zh if language.of(request) == "zh" else en)


async def file(request: Request, table: Table, rows: list[Row]) -> Response:
    """The rows as Excel."""
    place = 0 if language.of(request) == "zh" else 1
    headers = [(one.title, one.title_en)[place] for one in table.columns]
    cells = [[_cell(one.words, one.kind, row[one.field], place) for one in table.columns] for row in rows]
    made = await asyncio.to_thread(spreadsheet.write_xlsx, {table.name: (headers, cells)})
    disposition = {
        "Content-Disposition": f'attachment; filename="{table.name}.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(made, media_type=spreadsheet.XLSX, headers=disposition)


def _cell(words: Any, kind: str, value: Any, place: int) -> spreadsheet.Cell:
    if kind == "money":
        return spreadsheet.yuan(value)
    if isinstance(value, str) and value in words:
        return str(words[value][place])
    return value if isinstance(value, int | dt.date) else "" if value is None else str(value)


def mistaken(request: Request, form: Form[Any], error: ValidationError) -> Form[Any]:
    """The form with the mistakes beside their fields."""
    # Of one of several kinds of move: the kind is a part of the place that no field has.
    found = [{**one, "loc": ("form", *one["loc"][-1:])} for one in error.errors()]
    for mistake in problems.mistakes(found, language.of(request)):
        form.errors.setdefault(mistake.field, mistake.message)
    return form
