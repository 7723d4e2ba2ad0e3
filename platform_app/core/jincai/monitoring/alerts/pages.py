"""Pages of alerts: the list, to which new ones come by themselves, and one with everything about it."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import AsyncConnection
from pydantic import ValidationError

from jincai import language
from jincai.monitoring.alerts import alerts, api, export, rule_titles
from jincai.monitoring.alerts.alerts import Alert, Id
from jincai.monitoring.alerts.api import Reader
from jincai.monitoring.alerts.row import WORDS
from jincai.monitoring.alerts.rule_titles import Title
from jincai.monitoring.alerts.tables import ALERTS
from jincai.monitoring.alerts.words import FOUND_BY
from jincai.pages import rendering
from jincai.paging import Page
from jincai.platform import PlatformOf
from jincai.tables import EXPORT_MOST, Address

router = APIRouter(prefix="/monitor/alerts", include_in_schema=False)


@dataclass
class _Found:
    rows: list[Alert]
    levels: dict[str, int]
    rules: dict[str, Title] = field(default_factory=dict)
    # Where the stream goes on after this page.
    place: str = ""


@router.get("")
async def alerts_page(request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """Alerts by what the address asks, newest first; with ``format=xlsx`` as a file."""
    asked = _asked(request)

    async def ask(cx: AsyncConnection) -> _Found:
        levels = await ALERTS.counts(cx, asked, "level")
        if asked.format == "xlsx":
            export.refuse_too_many(request, sum(levels.values()))
            whole = asked.model_copy(update={"offset": 0})
            return _Found(await alerts.dressed(cx, await ALERTS.find(cx, whole, EXPORT_MOST)), levels)
        row = await (await cx.execute("SELECT pg_current_snapshot()::text")).fetchone()
        rows = await alerts.dressed(cx, await ALERTS.find(cx, asked, asked.limit))
        return _Found(rows, levels, await rule_titles.in_use(cx), row[0] if row else "")

    found = await platform.database.read(ask, token=principal.token)
    if asked.format == "xlsx":
        return await export.file(request, found.rows)
    stream = {"after": found.place, "html": "true", "lang": language.of(request)}
    context = {
        "asked": asked,
        "page": Page[Alert](
            items=found.rows, total=sum(found.levels.values()), limit=asked.limit, offset=asked.offset
        ),
        "counted": found.levels,
        "rules": found.rules,
        "columns": [one for one in ALERTS.columns if one.field != "division"],
        "stream": f"/monitor/alerts/stream?{urlencode(stream)}",
        # New ones belong at the top of the newest, and nowhere else.
        "live": not asked.offset and not asked.sort,
        "filtered": any(getattr(asked, one.name) is not None for one in ALERTS.filters)
        or bool(asked.fiscal_year or asked.division),
        **WORDS,
    }
    return rendering.page(request, platform, "alerts.html", context)


@router.get("/{alert_id}")
async def alert_page(alert_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One alert: the rule as it was, the law behind it, what it is about, and what to do with it."""
    found = await api.look(request, platform, principal, alert_id)
    context = {
        "one": found.alert,
        "rule": found.rule,
        "whole": found,
        "found_by": FOUND_BY,
        "may_handle": "monitor.handle" in principal.permissions,
        **WORDS,
    }
    return rendering.page(request, platform, "alert.html", context)


def _asked(request: Request) -> Address:
    try:
        return ALERTS.address().model_validate(dict(request.query_params))
    except ValidationError as error:
        errors = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from error
