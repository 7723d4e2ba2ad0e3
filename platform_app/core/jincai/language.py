"""Which of the two languages a person reads: Chinese, unless they choose English."""

from typing import Literal

from starlette.requests import HTTPConnection

Language = Literal["zh", "en"]
COOKIE = "jincai_lang"


def chosen(request: HTTPConnection) -> Language | None:
    """What ``?lang=`` asks for on this request, if it names a language we have."""
    return _known(request.query_params.get("lang"))


def of(request: HTTPConnection) -> Language:
    """The language to answer in: ``?lang=``, else the cookie, else Chinese.

    Programs have no cookie, so under `/api/` the Accept-Language header decides.
    """
    asked = chosen(request) or _known(request.cookies.get(COOKIE))
    if asked or not request.url.path.startswith("/api/"):
        return asked or "zh"
    first = request.headers.get("accept-language", "").split(",")[0].split("-")[0].strip().lower()
    return _known(first) or "zh"


def _known(value: str | None) -> Language | None:
    if value == "en":
        return "en"
    return "zh" if value == "zh" else None
