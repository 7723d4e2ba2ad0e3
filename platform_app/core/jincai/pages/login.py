"""The log-in page, logging in and logging out."""

import re
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from jincai import language
from jincai.auth import login
from jincai.auth.passwords import TooManyTriesError
from jincai.auth.principal import COOKIE, principal_if_known, token_of
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.platform import PlatformOf

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

FORM_BYTES = 8192
WHO_SECONDS = 2.0
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")

REFUSED = (
    f"用户名或密码不正确,或账户已锁定。连续 {login.FAILURES_MOST} 次失败后锁定 {login.LOCKED_MINUTES} 分钟。",
    f"Wrong name or password, or locked: {login.FAILURES_MOST} failures lock for {login.LOCKED_MINUTES} min.",
)
UNUSABLE = (
    "账户的角色互相冲突,不能登录。请联系安全管理员。",
    "The account's roles do not go together, so it cannot be used. Ask the security administrator.",
)
BUSY = ("登录的人过多,请稍后重试。", "Too many people are logging in; try again shortly.")


class LoginAddress(PageAddress):
    """The log-in page's address; ``next`` is where to go afterwards."""

    next: str = ""

    @property
    def target(self) -> str:
        """``next`` if it is a path of ours, else the overview."""
        return self.next if _LOCAL.fullmatch(self.next) else "/"


@router.get("/login")
async def login_page(
    request: Request, platform: PlatformOf, asked: Annotated[LoginAddress, Query()]
) -> Response:
    """The log-in page; who is logged in goes on."""
    if await principal_if_known(request, WHO_SECONDS):
        return RedirectResponse(asked.target, 303)
    return _page(request, platform)


@router.post("/login")
async def log_in(request: Request, platform: PlatformOf, asked: Annotated[LoginAddress, Query()]) -> Response:
    """Log in with the form's ``login`` and ``password``."""
    form = await read_form(request)
    name = form.get("login", "").strip().lower()
    try:
        token = await login.log_in(platform.door, request.app.state.passwords, name, form.get("password", ""))
    except login.RefusedError:
        return refuse(request, platform, 401, REFUSED, name)
    except login.OnceError:
        query = urlencode({"login": name, "next": asked.target})
        return RedirectResponse(f"/login/password?{query}", 303)
    except login.UnusableError:
        return refuse(request, platform, 403, UNUSABLE, name)
    except TooManyTriesError:
        return refuse(request, platform, 503, BUSY, name)
    return let_in(request, RedirectResponse(asked.target, 303), token)


@router.post("/logout")
async def log_out(request: Request, platform: PlatformOf) -> Response:
    """End the session here and everywhere."""
    if token := token_of(request):
        await login.log_out(platform.door, token)
        request.app.state.remembered.forget(token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


def let_in(request: Request, answer: Response, token: str) -> Response:
    """``answer`` with the cookie of the session of ``token``."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=login.SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def refuse(
    request: Request, platform: PlatformOf, status: int, words: tuple[str, str], name: str = ""
) -> Response:
    """The log-in page with what is wrong; a problem document for who reads no pages."""
    text = words[0] if language.of(request) == "zh" else words[1]
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(status, {})
    if not request.headers.get("accept", "").startswith("text/html"):
        raise HTTPException(status, text, headers)
    answer = _page(request, platform, text, name, status)
    answer.headers.update(headers)
    return answer


def _page(
    request: Request, platform: PlatformOf, error: str = "", name: str = "", status: int = 200
) -> HTMLResponse:
    context = {"error": error, "name": name, "sign_on": _sign_on(request)}
    answer = rendering.page(request, platform, "login.html", context, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _sign_on(request: Request) -> str:
    """Where single sign-on begins, "" without one; at the address that the provider sends people back to."""
    configured = request.app.state.sign_on
    query = urlencode({"next": request.query_params.get("next", "")})
    return f"{configured.public_url}/login/oidc?{query}" if configured else ""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form; a field given twice counts by its last value."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError:
        raise HTTPException(400) from None
    return {name: values[-1] for name, values in fields.items()}
