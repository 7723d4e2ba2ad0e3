"""Refuses what another site makes a browser send with our cookie (CSRF)."""

from urllib.parse import SplitResult, urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from jincai import language, problems
from jincai.auth.principal import COOKIE, bearer_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Where people come in without a cookie yet.
_DOORS = frozenset({"/login", "/login/password"})
_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """ASGI middleware: an unsafe request with the session cookie must say that it comes from our own pages.

    Logging in has no cookie yet; there a foreign origin is refused, too. Requests with a bearer token are
    not concerned: no browser adds one by itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with 403."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        origin = request.headers.get("origin")
        with_cookie = COOKIE in request.cookies and bearer_of(request) is None
        foreign = not _is_ours(origin, request) if origin else with_cookie
        if foreign and (with_cookie or request.url.path in _DOORS):
            lang = language.of(request)
            detail = (
                "请求不是从本平台的页面发出的。请打开本平台的页面后重试。"
                if lang == "zh"
                else "The request does not come from a page of this platform; open one and try again."
            )
            answer = problems.response(problems.describe(403, lang, request.url.path, detail))
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_ours(origin: str, request: HTTPConnection) -> bool:
    try:
        theirs, ours = urlsplit(origin), urlsplit(str(request.base_url))
        return _place(theirs) == _place(ours) != ("", "", None)
    except ValueError:  # a port that is none
        return False


def _place(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, url.hostname or "", url.port or _PORTS.get(url.scheme)
