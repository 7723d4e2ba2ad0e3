"""The platform as the simulated bank sees it: two questions over HTTP."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

TIMEOUT_SECONDS = 30.0


class AwayError(Exception):
    """The platform does not answer, or not now: ask again later."""


class RefusedError(Exception):
    """The platform refuses what is asked: asking again would not help."""


@dataclass(frozen=True)
class Socket:
    """The REST socket.

    Attributes:
        url: of the platform, such as ``https://10.0.0.1``.
        key: the bank's API key.
        asked: which instructions are wanted, as the API names it.
        trust: file of the authority that signed the platform's certificate; None for the system's.
    """

    url: str
    key: str
    asked: dict[str, object] = field(default_factory=dict)
    trust: str | None = None

    def instructions(self) -> list[dict[str, Any]]:
        """Instructions handed out to us.

        Raises:
            AwayError, RefusedError: there are none to be had.
        """
        query = urlencode(self.asked, doseq=True)
        return self._post(f"/api/v1/payment/bank/instructions?{query}", None)

    def receipts(self, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What became of our receipts.

        Raises:
            AwayError: nobody knows; telling them again tells.
            RefusedError: none of them was taken.
        """
        return self._post("/api/v1/payment/bank/receipts", told)

    def _post(self, path: str, content: object) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        body = b"" if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310 - the URL was checked
        context = ssl.create_default_context(cafile=self.trust) if self.url.startswith("https:") else None
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
                found: list[dict[str, Any]] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            text = error.read(2_000).decode("utf-8", "replace")
            if error.code in {409, 429} or error.code >= 500:
                raise AwayError(f"{error.code} {text}") from error
            raise RefusedError(f"{error.code} {text}") from error
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            raise AwayError(str(error)) from error
