"""The outside system that is asked, and what each check says of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jincai.socket.client import Answer, Client, UnreachableError
from jincai.socket.kinds import Kind

PROBLEM = "application/problem+json"


class DiffersError(Exception):
    """The system does something else than the contract says; the text says what, and what was expected."""


@dataclass(frozen=True)
class Verdict:
    """What one check found: ``says`` what differs, or what was seen; ``kind`` "" where it is about all."""

    check: str
    kind: str
    passed: bool
    says: str


@dataclass
class Subject:
    """The system under test.

    Attributes:
        client: asks it with a key that may push and pull.
        stranger: asks it without a key.
        fiscal_year, division: the books to ask for.
        examples: kind → a document that it takes.
        slowest: seconds of its slowest answer so far.
    """

    client: Client
    stranger: Client
    fiscal_year: int
    division: str
    examples: Mapping[str, Mapping[str, Any]]
    slowest: float = 0.0
    _run: str = field(default_factory=lambda: secrets.token_hex(6))
    _number: int = 0

    def get(self, path: str, query: Mapping[str, object] | None = None, *, stranger: bool = False) -> Answer:
        """GET, timed."""
        return self._timed((self.stranger if stranger else self.client).get(path, query))

    def post(self, content: object, query: Mapping[str, object] | None = None) -> Answer:
        """POST of ``content`` to the documents, timed."""
        return self._timed(self.client.post("/documents", content, query))

    def post_bytes(self, body: bytes, *, announced: bool = False) -> Answer:
        """POST of ``body`` to the documents, timed."""
        return self._timed(self.client.post_bytes("/documents", body, announced=announced))

    def new_key(self) -> str:
        """An idempotency key that was never used."""
        self._number += 1
        return f"check-{self._run}-{self._number:05}"

    def document(self, kind: Kind, **more: Any) -> dict[str, Any]:
        """The example of ``kind`` under a key of its own, so that it is another document each time."""
        example = dict(self.examples[kind.kind])
        if kind.push and "idempotency_key" in kind.push.schema_.get("properties", {}):
            example["idempotency_key"] = self.new_key()
        return example | more

    def push(self, kind: Kind, *documents: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """A push of ``documents`` under a new key, in the books of the first example."""
        example = self.examples[kind.kind]
        return {
            "kind": kind.kind,
            "fiscal_year": example["fiscal_year"],
            "division": example["division"],
            "idempotency_key": self.new_key(),
            "documents": list(documents),
            **more,
        }

    def _timed(self, answer: Answer) -> Answer:
        self.slowest = max(self.slowest, answer.seconds)
        return answer


def expect(holds: object, says: str) -> None:
    """Raise `DiffersError` unless ``holds``."""
    if not holds:
        raise DiffersError(says)


def accepted(answer: Answer) -> Any:
    """The JSON of an answer that must be 200."""
    expect(answer.status == 200, f"answered {answer.detail}; 200 was expected")
    expect(isinstance(answer.json, dict), "the body is no JSON object")
    return answer.json


def refused(answer: Answer, *statuses: int, field: str | None = None) -> None:
    """An answer that must be a problem document with one of ``statuses``, naming ``field`` if given."""
    wanted = " or ".join(map(str, statuses))
    expect(answer.status in statuses, f"answered {answer.detail}; {wanted} was expected")
    media = answer.headers.get("content-type", "").split(";")[0]
    expect(media == PROBLEM, f"{answer.status} comes as {media or 'nothing'}; {PROBLEM} was expected")
    said = answer.json if isinstance(answer.json, dict) else {}
    for name in ("type", "title", "status"):
        expect(name in said, f"the problem document has no {name}")
    expect(
        said["status"] == answer.status, f"the problem document says {said['status']}, not {answer.status}"
    )
    if field is None:
        return
    named = [str(one.get("field")) for one in said.get("errors", ()) if isinstance(one, dict)]
    expect(field in named, f"errors name {', '.join(named) or 'nothing'}; {field} was expected")


__all__ = ["DiffersError", "Subject", "UnreachableError", "Verdict", "accepted", "expect", "refused"]
