"""Choosing another password, with the present one: what a one-time password is for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from jincai import language
from jincai.auth import login
from jincai.auth.passwords import LEAST_CHARACTERS, MOST_CHARACTERS, TooManyTriesError
from jincai.errors import ConfigurationError
from jincai.pages import rendering
from jincai.pages.login import BUSY, REFUSED, UNUSABLE, LoginAddress, let_in, read_form
from jincai.platform import Platform, PlatformOf

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_DIFFER = ("两次输入的新密码不一致。", "The two new passwords differ.")
_SAME = ("新密码不能与现密码相同。", "The new password must differ from the present one.")
_LENGTH = (
    f"新密码应为 {LEAST_CHARACTERS} 至 {MOST_CHARACTERS} 个字符。",
    f"The new password must have {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.",
)


class PasswordAddress(LoginAddress):
    """The page's address; ``login`` is filled in."""

    login: str = ""


@router.get("/login/password")
async def password_page(
    request: Request, platform: PlatformOf, asked: Annotated[PasswordAddress, Query()]
) -> Response:
    """The page where one chooses another password."""
    return _page(request, platform, ("", ""), asked.login[:64])


@router.post("/login/password")
async def choose(
    request: Request, platform: PlatformOf, asked: Annotated[PasswordAddress, Query()]
) -> Response:
    """Take the form's ``new`` password in place of ``password``, and log in."""
    form = await read_form(request)
    name = form.get("login", "").strip().lower()
    present, new = form.get("password", ""), form.get("new", "")
    if wrong := _wrong(present, new, form.get("again", "")):
        return _page(request, platform, wrong, name, 422)
    try:
        token = await login.log_in(platform.door, request.app.state.passwords, name, present, new)
    except login.RefusedError:
        return _page(request, platform, REFUSED, name, 401)
    except login.UnusableError:
        return _page(request, platform, UNUSABLE, name, 403)
    except ConfigurationError:
        return _page(request, platform, _LENGTH, name, 422)
    except TooManyTriesError:
        return _page(request, platform, BUSY, name, 503)
    return let_in(request, RedirectResponse(asked.target, 303), token)


def _wrong(present: str, new: str, again: str) -> tuple[str, str] | None:
    if not LEAST_CHARACTERS <= len(new) <= MOST_CHARACTERS:
        return _LENGTH
    if new != again:
        return _DIFFER
    return _SAME if new == present else None


def _page(
    request: Request, platform: Platform, error: tuple[str, str], name: str, status: int = 200
) -> HTMLResponse:
    text = error[0] if language.of(request) == "zh" else error[1]
    context = {"error": text, "name": name, "least": LEAST_CHARACTERS, "most": MOST_CHARACTERS}
    answer = rendering.page(request, platform, "password.html", context, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
