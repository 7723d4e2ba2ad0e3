"""Speaks the REST socket as an outside system does: standard library, no redirects, no proxies, bounded."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jincai.errors import ConfigurationError, DatabaseUnavailableError
from jincai.language import Language

ANSWER_BYTES_MOST = 64 * 1024 * 1024
PREFIX = "/api/v1/socket"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PIECE = 64 * 1024
# How long the other side may think about a long body's headers before the body itself is sent.
_EARLY_SECONDS = 2.0


class UnreachableError(DatabaseUnavailableError):
    """The other side did not answer in time, or what it answered is no HTTP."""


@dataclass(frozen=True)
class Answer:
    """What was answered: ``seconds`` from asking to the last byte; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body, read as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def detail(self) -> str:
        """What a problem document says, else the status alone."""
        said = self.json
        text = said.get("detail") if isinstance(said, dict) else None
        return f"{self.status}: {text}" if isinstance(text, str) else str(self.status)


class Client:
    """One outside system, reached at ``url`` with the API key ``key`` (None: without).

    Raises:
        ConfigurationError: ``url`` is no http(s) address, or would carry the key in the clear.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        seconds: float,
        ca: Path | None = None,
        clear: bool = False,
        lang: Language = "zh",
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ConfigurationError(f"{url!r} is no address of a socket", "Write https://host[:port].")
        if parts.scheme == "http" and not clear and parts.hostname not in _LOOPBACK:
            raise ConfigurationError(f"{url} would carry the key in the clear", "Use https.")
        self._host, self._port, self._base = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._seconds = seconds
        self._said = {"Accept-Language": lang} | ({"Authorization": f"Bearer {key}"} if key else {})

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Answer:
        """The answer to GET ``path`` under the socket's prefix."""
        return self._ask("GET", _with(path, query), {}, None)

    def post(self, path: str, content: object, query: Mapping[str, object] | None = None) -> Answer:
        """The answer to POST of ``content`` as JSON."""
        body = json.dumps(content, ensure_ascii=False).encode()
        return self._ask("POST", _with(path, query), {"Content-Type": "application/json"}, body)

    def post_bytes(self, path: str, body: bytes, *, announced: bool = False) -> Answer:
        """The answer to POST of ``body``; ``announced``: sent only if its headers alone get no answer."""
        expected = {"Expect": "100-continue"} if announced else {}
        return self._ask("POST", path, {"Content-Type": "application/json", **expected}, body)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        began = time.monotonic()
        headers |= self._said
        if body is not None:
            headers |= {"Content-Length": str(len(body))}
        connection = self._connection()
        try:
            connection.putrequest(method, f"{self._base}{PREFIX}{path}")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = (self._early(connection, method) if "Expect" in headers else None) or self._late(
                connection, method, body or b""
            )
            content = self._read(response, began)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(
                f"no answer from {self._host}: {error or type(error).__name__}", "Check the address."
            ) from error
        finally:
            connection.close()
        said = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, said, content, time.monotonic() - began)

    def _read(self, response: http.client.HTTPResponse, began: float) -> bytes:
        """The body, bounded as a whole: each piece in time is not enough."""
        content = bytearray()
        while piece := response.read1(_PIECE):
            content += piece
            if len(content) > ANSWER_BYTES_MOST or time.monotonic() - began > 2 * self._seconds:
                raise http.client.HTTPException(f"{len(content)} bytes so far, and more to come")
        return bytes(content)

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=self._tls)

    def _early(self, connection: http.client.HTTPConnection, method: str) -> http.client.HTTPResponse | None:
        """The answer to the headers alone, None if the other side wants the body."""
        connection.sock.settimeout(_EARLY_SECONDS)
        response = http.client.HTTPResponse(connection.sock, method=method)
        try:
            response.begin()
        except TimeoutError:
            return None
        finally:
            connection.sock.settimeout(self._seconds)
        return response

    @staticmethod
    def _late(connection: http.client.HTTPConnection, method: str, body: bytes) -> http.client.HTTPResponse:
        try:
            for start in range(0, len(body), _PIECE):
                connection.sock.sendall(body[start : start + _PIECE])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it stopped reading: what it answered may still be there
        response = http.client.HTTPResponse(connection.sock, method=method)
        response.begin()
        return response


def _with(path: str, query: Mapping[str, object] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path
