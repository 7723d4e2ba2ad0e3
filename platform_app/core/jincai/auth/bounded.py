"""HTTP to the identity provider: bounded in time and size, without redirects, proxies or other schemes."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from jincai.settings import is_safe

SECONDS = 5.0
MOST_BYTES = 256 * 1024
_PART = 16 * 1024


class ProviderDownError(Exception):
    """The identity provider does not answer, or answers what nobody can use."""


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status and a JSON object."""

    status: int
    content: dict[str, Any]


def ask(
    url: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET ``url``, or with ``fields`` POST them as a form; blocks for seconds.

    Raises:
        ProviderDownError: no answer in time, too much of it, no JSON object, or an error of the server's.
    """
    if not is_safe(url):
        raise ProviderDownError(f"{url} is neither https nor on this machine")
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url,
        data=None if fields is None else urlencode(fields).encode(),
        headers={"Accept": "application/json", **(headers or {})},
    )
    until = time.monotonic() + SECONDS
    try:
        with _OPENER.open(request, timeout=SECONDS) as answer:
            return Answer(answer.status, _read(answer, until))
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 400:
                raise ProviderDownError(f"{url} answers {error.code}") from None
            return Answer(error.code, _read(error, until))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ProviderDownError(f"{url}: {error}") from error


def _read(answer: "http.client.HTTPResponse | urllib.error.HTTPError", until: float) -> dict[str, Any]:
    body = bytearray()
    try:
        while (
            part := answer.read1(_PART)
            if isinstance(answer, http.client.HTTPResponse)
            else answer.read(_PART)
        ):
            body += part
            if len(body) > MOST_BYTES:
                raise ProviderDownError(f"more than {MOST_BYTES} bytes")
            if time.monotonic() > until:
                raise ProviderDownError(f"not read within {SECONDS:.0f} seconds")
        content = json.loads(body)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise ProviderDownError(f"no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ProviderDownError("no JSON object")
    return content


def _opener() -> urllib.request.OpenerDirector:
    """No redirects, since the client's secret would go along; no files; straight to the provider."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
    ):
        made.add_handler(handler())
    return made


_OPENER = _opener()
