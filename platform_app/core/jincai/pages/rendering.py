"""Turns templates into answers, in the reader's language."""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)

from jincai import __version__, language
from jincai.auth.principal import Principal
from jincai.identity import SHANGHAI
from jincai.money import yuan
from jincai.pages import menu
from jincai.platform import Platform
from jincai.system import System

COOKIE_SECONDS = 365 * 24 * 3600


def environment(systems: Iterable[System]) -> Environment:
    """The platform's and the systems' templates, all compiled: what was loaded at start is what is shown."""
    return _environment(tuple((one.code, one.templates) for one in systems if one.templates))


@cache
def _environment(folders: tuple[tuple[str, Path], ...]) -> Environment:
    # A system's templates are called <code>/<name>.
    theirs: dict[str, BaseLoader] = {code: FileSystemLoader(folder) for code, folder in folders}
    made = Environment(
        loader=ChoiceLoader([PackageLoader("jincai", "pages/templates"), PrefixLoader(theirs)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["yuan"] = yuan
    made.filters["shanghai"] = shanghai
    made.filters["zip"] = zip
    made.filters["second"] = shanghai_second
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
        environment(platform.systems)
        .get_template(template)
        .render(
            context,
            t=lambda chinese, english: chinese if lang == "zh" else english,
            lang=lang,
            path=request.url.path,
            with_query=with_query,
            menu=menu.groups(platform, principal),
            principal=principal,
            loaded=platform.loaded,
            freeze=platform.frozen.freeze,
            static_version=__version__,
        )
    )
    answer = HTMLResponse(text, status_code=status)
    if principal:  # nothing for whoever goes back in the browser after the log-out
        answer.headers["Cache-Control"] = "no-store"
    if picked := language.chosen(request):
        answer.set_cookie(language.COOKIE, picked, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
    return answer


def shanghai(moment: dt.datetime) -> str:
    """The moment as a clock in China shows it: 2010-03-05 09:30."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def shanghai_second(moment: dt.datetime) -> str:
    """The same to the second."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
