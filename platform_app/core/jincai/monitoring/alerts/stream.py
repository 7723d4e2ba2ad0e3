"""`GET /monitor/alerts/stream`: new alerts as server-sent events, each once it is committed.

Events: ``alert`` (an `Alert` as JSON), ``gap`` (more came than are sent one by one: read the list), ``ended``
(the session is over). Ids are places; a client that comes back with Last-Event-ID gets what it missed.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from jincai import language
from jincai.auth.principal import Principal, may
from jincai.errors import DatabaseUnavailableError
from jincai.monitoring.alerts import feed as feeds
from jincai.monitoring.alerts import place
from jincai.monitoring.alerts.alerts import Alert
from jincai.monitoring.alerts.feed import Feed, FullError
from jincai.monitoring.alerts.news import EndedError, Reader
from jincai.monitoring.alerts.row import row_html
from jincai.platform import Platform, PlatformOf

router = APIRouter(include_in_schema=False)

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
# Alerts that come in a burst are read together.
GATHER_SECONDS = 0.1
RETRY_MILLISECONDS = 3000
_PLACE = TypeAdapter(place.Place)


@router.get("/monitor/alerts/stream")
async def alert_stream(
    request: Request,
    platform: PlatformOf,
    principal: Annotated[Principal, Depends(may("monitor.read"))],
    after: Annotated[str | None, Query(max_length=8000)] = None,
    html: bool = False,
) -> StreamingResponse:
    """Alerts from now on, or from ``after`` on; with ``html`` each also as a row of the list."""
    zh = language.of(request) == "zh"
    if MEDIA_TYPE not in request.headers.get("accept", ""):
        asked = f"Accept: {MEDIA_TYPE}"
        raise HTTPException(
            406, f"这是事件流,请以 {asked} 请求。" if zh else f"A stream of events: ask with {asked}."
        )
    began = _began(request.headers.get("last-event-id") or after, zh=zh)
    feed = feeds.of(platform)
    try:
        feed.refuse_if_full(principal.actor)
    except FullError as full:
        raise _refused(full, zh=zh) from None

    async def sent() -> AsyncIterator[str]:
        with feed.seat(principal.actor):
            stream = _Stream(platform, feed, Reader(feed, principal.token), began)
            async for one in stream.run():
                yield one if isinstance(one, str) else _alert(one, request, platform, html=html)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(sent(), media_type=MEDIA_TYPE, headers=headers)


class _Stream:
    """One stream: at each wake-up it reads from its place to now."""

    def __init__(self, platform: Platform, feed: Feed, reader: Reader, began: str | None) -> None:
        self._leaving = platform.leaving
        self._feed = feed
        self._reader = reader
        self._place = began

    async def run(self) -> AsyncIterator[str | Alert]:
        """What to send: alerts, and other events as their text."""
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        first = True
        while not self._leaving.is_set():
            woken = self._feed.woken
            try:
                async for one in self._news(first=first):
                    yield one
                first = False
            except EndedError:
                yield "event: ended\ndata: {}\n\n"
                return
            except DatabaseUnavailableError:
                yield ": the database is away\n\n"
            try:
                await asyncio.wait_for(woken.wait(), HEARTBEAT_SECONDS)
                await asyncio.sleep(GATHER_SECONDS)
            except TimeoutError:
                yield ":\n\n"

    async def _news(self, *, first: bool) -> AsyncIterator[str | Alert]:
        until = await self._reader.now()
        if self._place is None:
            self._place = until
        after = self._place
        if first and await self._reader.too_many(after, until):
            yield "event: gap\ndata: {}\n\n"
        elif after != until:
            async for page in self._reader.between(after, until):
                for one in page:
                    yield one
        self._place = until
        # An event without data is none, but its id is remembered: a client cut off before this gets all anew.
        yield f"id: {until}\n\n"


def _alert(one: Alert, request: Request, platform: Platform, *, html: bool) -> str:
    document = one.model_dump(mode="json")
    if html:
        document["html"] = row_html(request, platform, one)
    return f"event: alert\ndata: {json.dumps(document, ensure_ascii=False)}\n\n"


def _began(given: str | None, *, zh: bool) -> str | None:
    if not given:
        return None
    try:
        return _PLACE.validate_python(given)
    except ValidationError:
        text = "Last-Event-ID 或 after 不是事件流给出的位置。"
        raise HTTPException(
            422, text if zh else "Last-Event-ID or after is no place that this stream gave."
        ) from None


def _refused(full: FullError, *, zh: bool) -> HTTPException:
    if full.own:
        most = feeds.STREAMS_OF_ONE
        zh_text = f"同一用户最多同时打开 {most} 个预警流,请关闭不用的页面。"
        en_text = f"One person may have {most} streams open; close pages that are not needed."
        return HTTPException(429, zh_text if zh else en_text)
    zh_text, en_text = (
        "预警流已达上限,请稍后重试;列表页面不受影响。",
        "All streams are taken; lists still work.",
    )
    return HTTPException(503, zh_text if zh else en_text)
