"""Errors as RFC 9457 problem documents: what happened, in the reader's language, and what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from jincai import language
from jincai.auth.principal import principal_if_known
from jincai.errors import DatabaseUnavailableError, UnusableRulesError
from jincai.freezing import FrozenError
from jincai.language import Language
from jincai.pages import rendering
from jincai.platform import platform_of
from jincai.problem_texts import FROZEN, KINDS, MISTAKES, NO_DATABASE

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
# How long a page about a problem waits to learn for whom it is.
WHO_SECONDS = 1.0
MACHINE_PATHS = frozenset({"/healthz", "/livez", "/version", "/metrics"})


class Mistake(BaseModel):
    """One wrong field: ``where`` is path, query, header or body; ``field`` its dotted name."""

    model_config = ConfigDict(frozen=True)

    where: str
    field: str
    message: str


class Problem(BaseModel):
    """A problem document; ``errors`` only where fields are wrong."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[Mistake, ...] = ()


def describe(
    status: int, lang: Language, instance: str, detail: str = "", mistakes: Sequence[Mistake] = ()
) -> Problem:
    """The problem document for ``status``; without ``detail`` it gives the usual advice."""
    kind, chinese, english = KINDS.get(status) or _unlisted(status)
    title, advice = chinese if lang == "zh" else english
    return Problem(
        type=f"urn:jincai:problem:{kind}",
        title=title,
        status=status,
        detail=detail or advice,
        instance=instance,
        errors=tuple(mistakes),
    )


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an HTTP response."""
    content = problem.model_dump(exclude=None if problem.errors else {"errors"})
    return JSONResponse(
        content, status_code=problem.status, headers=_headers(problem, headers), media_type=MEDIA_TYPE
    )


def mistakes(errors: Sequence[Any], lang: Language) -> tuple[Mistake, ...]:
    """Pydantic's errors in a person's words."""
    return tuple(_mistake(error, lang) for error in errors)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document."""

    async def http_error(request: Request, error: Exception) -> Response:
        error = cast("HTTPException", error)
        if error.status_code == 401 and _reads_pages(request):
            return _to_login(request)
        usual = error.detail == HTTPStatus(error.status_code).phrase
        return await _answer(
            request, error.status_code, "" if usual else str(error.detail), headers=error.headers
        )

    async def invalid(request: Request, error: Exception) -> Response:
        errors = cast("RequestValidationError", error).errors()
        return await _answer(request, 422, found=mistakes(errors, language.of(request)))

    async def no_database(request: Request, _: Exception) -> Response:
        return await _answer(request, 503, NO_DATABASE[language.of(request)])

    async def no_rules(request: Request, error: Exception) -> Response:
        return await _answer(request, 503, str(error))

    async def frozen(request: Request, error: Exception) -> Response:
        return await _shown(request, _frozen(request, cast("FrozenError", error)), known=True)

    async def unexpected(request: Request, _: Exception) -> Response:
        return await _answer(request, 500)

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(DatabaseUnavailableError, no_database)
    app.add_exception_handler(UnusableRulesError, no_rules)
    app.add_exception_handler(FrozenError, frozen)
    app.add_exception_handler(Exception, unexpected)


async def _answer(
    request: Request,
    status: int,
    detail: str = "",
    found: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = describe(status, language.of(request), request.url.path, detail, found)
    # A 503 mostly says that the database is away: nobody knows who asks.
    return await _shown(request, problem, headers, known=status != 503)


async def _shown(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None, *, known: bool
) -> Response:
    """As a page or as a document; ``known``: whether it can be learnt for whom."""
    if not _reads_pages(request):
        return response(problem, headers)
    if known:
        await principal_if_known(request, WHO_SECONDS)
    context = {"problem": problem}
    page = rendering.page(request, platform_of(request), "problem.html", context, problem.status)
    page.headers.update(_headers(problem, headers))
    return page


def _frozen(request: Request, error: FrozenError) -> Problem:
    kind, chinese, english = FROZEN
    title, text = chinese if language.of(request) == "zh" else english
    return Problem(
        type=f"urn:jincai:problem:{kind}",
        title=title,
        status=503,
        detail=text.format(reason=error.freeze.reason),
        instance=request.url.path,
    )


def _to_login(request: Request) -> Response:
    """To the log-in page, and from there back to what was asked for."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = f"?{urlencode({'next': asked})}" if request.method in {"GET", "HEAD"} else ""
    return RedirectResponse(f"/login{query}", 303)


def _reads_pages(request: Request) -> bool:
    """Whether a person at a browser asks for a page, to whom JSON would say little."""
    for_machines = request.url.path.startswith(("/api/", "/static/")) or request.url.path in MACHINE_PATHS
    return not for_machines and request.headers.get("accept", "").startswith("text/html")


def _headers(problem: Problem, more: Mapping[str, str] | None) -> dict[str, str]:
    """A 503 says when to come back."""
    extra = {"Retry-After": str(RETRY_AFTER_SECONDS)} if problem.status == 503 else {}
    return {**extra, **(more or {})}


def _unlisted(status: int) -> tuple[str, tuple[str, str], tuple[str, str]]:
    phrase = HTTPStatus(status).phrase
    return phrase.lower().replace(" ", "-"), (phrase, phrase), (phrase, phrase)


def _mistake(error: Mapping[str, Any], lang: Language) -> Mistake:
    where, *names = [str(part) for part in error["loc"]] or ["body"]
    chinese, english = MISTAKES.get(error["type"], (error["msg"], error["msg"]))
    text = chinese if lang == "zh" else english
    return Mistake(where=where, field=".".join(names), message=text.format_map(error.get("ctx") or {}))
