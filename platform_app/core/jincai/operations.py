"""What machines ask a running process: is it alive, is it well, which versions has it loaded."""

import logging

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from jincai import health, language, problems
from jincai.errors import DatabaseUnavailableError
from jincai.health import Health, Schema
from jincai.identity import Version
from jincai.platform import Platform, PlatformOf

log = logging.getLogger(__name__)

router = APIRouter(tags=["operations"])


@router.get("/livez", response_class=PlainTextResponse)
async def livez(platform: PlatformOf) -> PlainTextResponse:
    """The process runs and answers, whatever the database does. 404: it is about to end, send no more."""
    if platform.draining.is_set():
        return PlainTextResponse("draining\n", 404)
    return PlainTextResponse("ok\n")


@router.get("/healthz", response_model=Health)
async def healthz(request: Request, platform: PlatformOf) -> Health | Response:
    """The platform can work: 200; otherwise 503 with what is missing."""
    found = await health.check(platform.lane, platform.expected, platform.freezers)
    if found.status == "ok" and found.database.primary:
        return found
    lang = language.of(request)
    if found.pending:
        due = ", ".join(found.pending)
        detail = (
            f"数据库缺少迁移:{due}。请运行 jincai migrate。"
            if lang == "zh"
            else f"Migrations due: {due}; run jincai migrate."
        )
    else:
        detail = "数据库不接受写入。" if lang == "zh" else "The database accepts no writes."
    return problems.response(problems.describe(503, lang, request.url.path, detail))


class SchemaKnown:
    """What is known of the schema; the last answer is kept while the database is away."""

    def __init__(self) -> None:
        self._last = health.NOTHING

    async def now(self, platform: Platform) -> Schema:
        """As the database says, or said last."""
        try:
            self._last = await health.schema(platform.lane)
        except DatabaseUnavailableError:
            log.info("version: the database is away, so the schema is the one last seen")
        return self._last


@router.get("/version")
async def version(request: Request, platform: PlatformOf) -> Version:
    """What this process loaded when it started, and the schema it works on."""
    known: SchemaKnown = request.app.state.schema_known
    schema = await known.now(platform)
    loaded = {one.code: one.dist for one in (platform.loaded.platform, *platform.loaded.systems)}
    return Version(
        **dict(platform.loaded),
        schema_={code: schema.newest.get(dist) for code, dist in loaded.items()},
        contracted={code: schema.contracted.get(dist) for code, dist in loaded.items()},
        replaced={
            code: dist for code, dist in schema.replaced.items() if loaded.get(code) not in {None, dist}
        },
        retired=schema.retired,
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(platform: PlatformOf) -> Response:
    """Counters in Prometheus' exposition format."""
    return Response(platform.metrics.text(), media_type=CONTENT_TYPE_LATEST)
