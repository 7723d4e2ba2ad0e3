"""Single sign-on (单点登录): to the identity provider and back; nothing of it without one configured."""

import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from jincai import language
from jincai.auth import login, oidc_flow, trail
from jincai.auth.bounded import ProviderDownError
from jincai.auth.oidc import CALLBACK, SignOn, TokenError
from jincai.auth.oidc_flow import COOKIE, PATH, SECONDS, Flow
from jincai.pages import rendering
from jincai.pages.login import UNUSABLE, LoginAddress, let_in, refuse
from jincai.platform import Platform, PlatformOf

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
log = logging.getLogger(__name__)

CODE_MOST = 4000
Words = tuple[str, str]

_DOWN = (
    "单点登录服务暂时没有应答,请稍后重试,或用密码登录。",
    "The identity provider does not answer. Try again shortly, or log in with a password.",
)
_LOST = (
    "此次单点登录不是从本页开始的,或已超过 10 分钟。请重新单点登录。",
    "This single sign-on did not begin here, or more than 10 minutes ago. Begin again.",
)
_NOT_VOUCHED = (
    "单点登录服务没有确认您的身份。请重新登录;若仍不成功,请联系安全管理员。",
    "The identity provider did not vouch for you. Begin again, else ask the security administrator.",
)
_LOCKED = (
    "账户已锁定或停用。请联系安全管理员。",
    "The account is locked. Ask the security administrator.",
)
_UNKNOWN = (
    "您的单点登录身份尚未对应本平台的账户。请联系安全管理员登记。",
    "No account of this platform is linked to your identity. Ask the security administrator.",
)


@router.get(PATH)
async def leave(request: Request, platform: PlatformOf, asked: Annotated[LoginAddress, Query()]) -> Response:
    """To the identity provider, and from there back to ``next``."""
    sign_on = _configured(request)
    flow = oidc_flow.begin(sign_on.secret, asked.target)
    try:
        address = await sign_on.address(flow)
    except ProviderDownError as error:
        log.warning("single sign-on: %s", error)
        return refuse(request, platform, 503, _DOWN)
    answer = RedirectResponse(address, 303)
    # Lax, since it has to come along when the provider sends the browser back.
    answer.set_cookie(
        COOKIE,
        flow.cookie,
        max_age=SECONDS,
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get(CALLBACK)
async def come_back(request: Request, platform: PlatformOf) -> Response:
    """Back from the provider with a code, or with an error."""
    answer = await _come_back(request, platform, _configured(request))
    answer.delete_cookie(
        COOKIE, path=PATH, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _come_back(request: Request, platform: Platform, sign_on: SignOn) -> Response:
    given = request.query_params
    flow = oidc_flow.resume(sign_on.secret, request.cookies.get(COOKIE, ""), given.get("state", ""))
    if flow is None:
        return refuse(request, platform, 400, _LOST)
    try:
        _refuse_error(request, sign_on)
        subject = await sign_on.subject(given["code"], flow)
    except ProviderDownError as error:
        log.warning("single sign-on: %s", error)
        return refuse(request, platform, 503, _DOWN)
    except TokenError as error:
        log.warning("single sign-on refused: %s", error)
        detail = {"by": "oidc", "reason": ascii(str(error))[:200]}
        await platform.door.write(
            lambda cx: trail.note_stranger(cx, "refused", detail), token=None, repeatable=True
        )
        return refuse(request, platform, 401, _NOT_VOUCHED)
    return await _arrived(request, platform, flow, subject)


async def _arrived(request: Request, platform: Platform, flow: Flow, subject: str) -> Response:
    try:
        token = await login.log_in_as(platform.door, subject)
    except login.UnknownSubjectError:
        return refuse(request, platform, 403, _with_subject(subject))
    except login.RefusedError:
        return refuse(request, platform, 403, _LOCKED)
    except login.UnusableError:
        return refuse(request, platform, 403, UNUSABLE)
    return let_in(request, _go_on(request, platform, flow), token)


def _refuse_error(request: Request, sign_on: SignOn) -> None:
    """Refuse an answer without a code, or one of another provider (RFC 9207).

    Raises:
        TokenError: says what is wrong.
    """
    given = request.query_params
    if not hmac.compare_digest(given.get("iss", sign_on.issuer).encode(), sign_on.issuer.encode()):
        raise TokenError("the answer is another provider's")
    if not 0 < len(given.get("code", "")) <= CODE_MOST:
        raise TokenError(f"no code: {ascii(given.get('error', ''))[:100]}")


def _go_on(request: Request, platform: Platform, flow: Flow) -> Response:
    """A page that leads on by itself, which a redirect would not.

    The session's cookie is strict: it comes along only from a page of ours, not on the way from the provider.
    """
    return rendering.page(request, platform, "signed_on.html", {"target": flow.next})


def _with_subject(subject: str) -> Words:
    chinese, english = _UNKNOWN
    return f"{chinese}身份标识:{subject}", f"{english} Subject: {subject}"


def _configured(request: Request) -> SignOn:
    sign_on = request.app.state.sign_on
    if not isinstance(sign_on, SignOn):
        text = (
            "本平台没有设置单点登录。" if language.of(request) == "zh" else "There is no single sign-on here."
        )
        raise HTTPException(404, text)
    return sign_on
