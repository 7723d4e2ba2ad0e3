"""A small outside system that speaks the REST socket, in the standard library: what a vendor would write.

It takes receipts and gives them again. Each of `FAULTS` breaks one promise of the contract.
"""

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "the-vendor's-key"
BODY_MOST = 8 * 1024 * 1024
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "fiscal_year": {"type": "integer"},
        "division": {"type": "string", "pattern": "^[1-9][0-9]{5}$"},
        "idempotency_key": {"type": "string"},
        "payer": {"type": "string", "minLength": 1},
        "amount": {"type": "integer", "minimum": 0},
    },
    "required": ["payer", "amount", "idempotency_key", "fiscal_year", "division"],
    "examples": [
        {"fiscal_year": 2010, "division": "450100", "idempotency_key": "k", "payer": "示例", "amount": 5}
    ],
}
RESULT = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}

# Fault → the checks that must notice it.
FAULTS: dict[str, set[str]] = {
    "lets anybody in": {"asks_for_a_key"},
    "pages at random": {"pages_stably"},
    "skips a document": {"pages_stably"},
    "amounts in yuan": {"counts_in_whole_fen", "fits_its_schema"},
    "undeclared field": {"fits_its_schema"},
    "other books": {"keeps_to_the_books"},
    "forgets keys": {"answers_again_the_same", "keeps_a_key_for_one_content"},
    "takes unknown fields": {"refuses_unknown_fields", "fits_its_schema"},
    "takes negative amounts": {"refuses_negative_amounts", "fits_its_schema"},
    "takes text for amounts": {"refuses_parts_of_a_fen", "fits_its_schema", "counts_in_whole_fen"},
    "takes any number": {"bounds_its_pushes"},
    "no place in errors": {
        "refuses_unknown_fields",
        "refuses_what_is_missing",
        "refuses_negative_amounts",
        "refuses_parts_of_a_fen",
    },
    "half a push": {"refuses_unknown_fields"},
    "breaks off long bodies": {"refuses_long_bodies"},
    "errors as HTML": {
        "asks_for_a_key",
        "knows_its_kinds",
        "refuses_broken_json",
        "refuses_long_bodies",
        "refuses_unknown_parameters",
        "keeps_a_key_for_one_content",
        "refuses_unknown_fields",
        "refuses_what_is_missing",
        "refuses_negative_amounts",
        "refuses_parts_of_a_fen",
        "refuses_another_year",
        "bounds_its_pushes",
        "bounds_its_pages",
    },
    "slow": {"answers_in_time"},
}


class RefusedError(Exception):
    """Becomes a problem document."""

    def __init__(self, status: int, *fields: str) -> None:
        self.status, self.fields = status, fields


class Store:
    """What the system keeps, and how it is broken."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.lock = threading.Lock()
        self.items: list[dict[str, Any]] = []
        self.pushes: dict[str, tuple[str, dict[str, Any]]] = {}
        self.slept = False

    def kinds(self) -> dict[str, Any]:
        schema = {"permission": "vendor", "schema": SCHEMA}
        kind = {"kind": "receipt", "title": "收据", "title_en": "Receipt", "pull": schema}
        return {"kinds": [kind | {"push": schema | {"result": RESULT}}]}

    def pull(self, query: dict[str, list[str]]) -> dict[str, Any]:
        if query.get("kind") != ["receipt"]:
            raise RefusedError(404)
        if query.keys() - {"kind", "fiscal_year", "division", "after", "limit"}:
            raise RefusedError(422, "query")
        after, limit = int(query.get("after", ["0"])[0]), int(query.get("limit", ["200"])[0])
        if not 1 <= limit <= 1000:
            raise RefusedError(422, "limit")
        step = 2 if self.fault == "skips a document" and limit == 3 else 1
        found = [one for one in self.items if one["id"] > after][::step]
        if self.fault == "pages at random":
            found = found[::-1]
        items = [{"id": one["id"], "document": self._given(one["document"])} for one in found[:limit]]
        last = items[-1]["id"] if items else after
        return {"kind": "receipt", "items": items, "next": last, "more": len(found) > limit}

    def _given(self, document: dict[str, Any]) -> dict[str, Any]:
        if self.fault == "amounts in yuan":
            return document | {"amount": document["amount"] / 100}
        if self.fault == "undeclared field":
            return document | {"note": ""}
        return document | {"division": "450200"} if self.fault == "other books" else document

    def push(self, pushed: dict[str, Any], *, check: bool) -> dict[str, Any]:
        said = json.dumps(pushed, sort_keys=True)
        key, documents = pushed["idempotency_key"], pushed["documents"]
        before = None if self.fault == "forgets keys" else self.pushes.get(key)
        if before:
            if before[0] != said:
                raise RefusedError(409)
            return before[1]
        if not documents or (len(documents) > 1000 and self.fault != "takes any number"):
            raise RefusedError(422, "documents")
        if wrong := [one for n, document in enumerate(documents) for one in self._wrong(n, document, pushed)]:
            if self.fault == "half a push":
                self.pushes[key] = (said, {})
            raise RefusedError(422, *wrong)
        answer = {name: value for name, value in pushed.items() if name != "documents"}
        answer |= {"received": len(documents), "results": []}
        if not check:
            start = len(self.items) + 1
            self.items += [{"id": start + n, "document": one} for n, one in enumerate(documents)]
            answer["results"] = [{"id": start + n} for n in range(len(documents))]
            self.pushes[key] = (said, answer)
        return answer

    def _wrong(self, place: int, document: dict[str, Any], pushed: dict[str, Any]) -> Iterator[str]:
        fields = SCHEMA["properties"]
        amount = document.get("amount")
        if self.fault == "takes text for amounts" and isinstance(amount, str | float):
            amount = int(amount)
        for name in SCHEMA["required"]:
            if name not in document:
                yield f"documents.{place}.{name}"
        if type(amount) is not int or (amount < 0 and self.fault != "takes negative amounts"):
            yield f"documents.{place}.amount"
        for name in document.keys() - fields.keys():
            if self.fault != "takes unknown fields":
                yield f"documents.{place}.{name}"
        if document.get("fiscal_year") != pushed["fiscal_year"]:
            yield f"documents.{place}.fiscal_year"


class Handler(BaseHTTPRequestHandler):
    """One request; ``store`` is set by `outside_system`."""

    protocol_version = "HTTP/1.1"
    store: Store

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def handle_expect_100(self) -> bool:
        # Too long a body is not asked for.
        return int(self.headers["Content-Length"]) > BODY_MOST or super().handle_expect_100()

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _get(self) -> dict[str, Any]:
        parts = urlsplit(self.path)
        if parts.path.endswith("/kinds"):
            return self.store.kinds()
        return self.store.pull(parse_qs(parts.query))

    def _post(self) -> dict[str, Any]:
        length = int(self.headers["Content-Length"])
        if length > BODY_MOST:
            self.close_connection = True
            raise RefusedError(413)
        try:
            pushed = json.loads(self.rfile.read(length))
        except ValueError:
            raise RefusedError(400) from None
        with self.store.lock:
            return self.store.push(pushed, check="check=true" in self.path)

    def _answered(self, work: Any) -> None:
        fault = self.store.fault
        if fault == "breaks off long bodies" and int(self.headers.get("Content-Length", 0)) > BODY_MOST:
            self.close_connection = True
            return
        if fault == "slow" and not self.store.slept:
            self.store.slept = True
            time.sleep(0.3)
        try:
            known = fault == "lets anybody in" or self.headers.get("Authorization") == f"Bearer {KEY}"
            self._send(200, "application/json", work() if known else self._nobody())
        except RefusedError as error:
            self._send(error.status, "application/problem+json", self._problem(error))

    @staticmethod
    def _nobody() -> dict[str, Any]:
        raise RefusedError(401)

    def _problem(self, error: RefusedError) -> dict[str, Any]:
        fields = [re.sub(r"\.[0-9]+\.", ".", one) for one in error.fields]
        named = fields if self.store.fault == "no place in errors" else error.fields
        errors = [{"where": "body", "field": one, "message": "wrong"} for one in named]
        return {"type": "about:blank", "title": "Refused", "status": error.status, "errors": errors}

    def _send(self, status: int, media: str, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        if status != 200 and self.store.fault == "errors as HTML":
            media, body = "text/html", b"<h1>Error</h1>"
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def outside_system(fault: str = "", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serves it in a thread, broken by ``fault`` ("" not at all); gives its URL."""
    handler = type("Broken", (Handler,), {"store": Store(fault)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)
