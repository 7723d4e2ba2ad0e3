"""Turns templates into answers, in the reader's language."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from jincai import __version__, language
from jincai.auth.principal import Principal
from jincai.platform import Platform
from jincai.system import MenuEntry

COOKIE_SECONDS = 365 * 24 * 3600
OWN_MENU = (
    MenuEntry(title="概况", title_en="Overview", path="/"),
    MenuEntry(title="行政区划", title_en="Divisions", path="/standards/divisions"),
)


@cache
def environment() -> Environment:
    """The templates, all compiled, so that what was loaded at start is what is shown."""
    made = Environment(
        loader=PackageLoader("jincai", "pages/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["yuan"] = yuan
    made.filters["zip"] = zip
    for name in made.list_templates():
        made.get_template(name)
    return made


def page(
    request: Request, platform: Platform, template: str, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """``template`` with ``context``; templates say every text in both languages as ``t(zh, en)``."""
    lang = language.of(request)
    principal: Principal | None = getattr(request.state, "principal", None)

    def with_query(**changes: object) -> str:
        """This page's address with some parameters changed; None leaves one out."""
        kept = dict(request.query_params) | changes
        query = urlencode({name: value for name, value in kept.items() if value not in {None, ""}})
        return f"{request.url.path}?{query}"

    text = (
        environment()
        .get_template(template)
        .render(
            context,
            t=lambda chinese, english: chinese if lang == "zh" else english,
            lang=lang,
            path=request.url.path,
            with_query=with_query,
            menu=_menu(platform, principal),
            principal=principal,
            loaded=platform.loaded,
            static_version=__version__,
        )
    )
    answer = HTMLResponse(text, status_code=status)
    if principal:  # nothing for whoever goes back in the browser after the log-out
        answer.headers["Cache-Control"] = "no-store"
    if picked := language.chosen(request):
        answer.set_cookie(language.COOKIE, picked, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
    return answer


def _menu(platform: Platform, principal: Principal | None) -> tuple[MenuEntry, ...]:
    """What the principal may read; nothing for nobody."""
    if principal is None:
        return ()
    allowed = {code.partition(".")[0] for code in principal.permissions}
    systems = (system for system in platform.systems if system.code in allowed)
    return (*OWN_MENU, *(entry for system in systems for entry in system.menu))


def yuan(fen: int) -> str:
    """Fen as yuan, for reading: 123456789 → 1,234,567.89."""
    return f"{Decimal(fen) / 100:,.2f}"
