"""What every socket answers, whatever its kinds."""

from jincai.socket.conformance.subject import Subject, expect, refused
from jincai.socket.kinds import Kind

BODY_BYTES = 8 * 1024 * 1024
ANSWER_SECONDS = 10.0


def asks_for_a_key(subject: Subject) -> str:
    """Nothing is answered without a key."""
    refused(subject.get("/kinds", stranger=True), 401)
    return "401 without a key"


def knows_its_kinds(subject: Subject) -> str:
    """Another kind is not found."""
    books = {"fiscal_year": subject.fiscal_year, "division": subject.division}
    refused(subject.get("/documents", {"kind": "no_such_kind", **books}), 404)
    return "404 for a kind that is not offered"


def refuses_unknown_parameters(subject: Subject, pulled: Kind) -> str:
    """A slip in a parameter's name is noticed."""
    books = {"fiscal_year": subject.fiscal_year, "division": subject.division}
    refused(subject.get("/documents", {"kind": pulled.kind, **books, "pgae": 2}), 422)
    return "422 for a parameter that is not known"


def refuses_broken_json(subject: Subject) -> str:
    """What is no JSON is refused, not guessed."""
    refused(subject.post_bytes(b'{"kind": '), 400, 422)
    return "broken JSON is refused"


def refuses_long_bodies(subject: Subject) -> str:
    """A body beyond 8 MiB is answered, and the connection does not just break."""
    refused(subject.post_bytes(b" " * (BODY_BYTES + 1), announced=True), 413)
    return f"413 for {BODY_BYTES + 1:,} bytes"


def answers_in_time(subject: Subject) -> str:
    """The slowest answer of the whole run."""
    says = f"the slowest answer took {subject.slowest:.2f} s"
    expect(subject.slowest <= ANSWER_SECONDS, f"{says}; {ANSWER_SECONDS:.0f} s at most")
    return says
