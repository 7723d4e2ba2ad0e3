"""What a kind that may be pushed has to keep. The example is really pushed: not for a system in use."""

from typing import Any

from jincai.socket.conformance import schema
from jincai.socket.conformance.subject import Subject, accepted, expect, refused
from jincai.socket.kinds import Kind

DOCUMENTS_MOST = 1000


def checks_without_doing(subject: Subject, kind: Kind) -> str:
    """With check=true only what is wrong is said, and the key stays free."""
    pushed = subject.push(kind, subject.document(kind))
    answer = accepted(subject.post(pushed, {"check": "true"}))
    expect(answer.get("results") == [], "results of a push that was only checked")
    accepted(subject.post(pushed | {"documents": [subject.document(kind)]}))
    return "checked, and its key was free"


def answers_again_the_same(subject: Subject, kind: Kind) -> str:
    """The same push under the same key is answered the same, one result for each document."""
    pushed = subject.push(kind, subject.document(kind), subject.document(kind))
    first = accepted(subject.post(pushed))
    results = first.get("results", [])
    expect(first.get("received") == 2 == len(results), f"{len(results)} results for 2 documents")
    for one in results:
        differs = schema.differs(one, kind.push.result if kind.push else {})
        expect(not differs, f"a result differs from its schema: {differs}")
    expect(accepted(subject.post(pushed)) == first, "the second answer differs from the first")
    return "twice the same answer"


def keeps_a_key_for_one_content(subject: Subject, kind: Kind) -> str:
    """Other content under a key that was used is a conflict."""
    pushed = subject.push(kind, subject.document(kind))
    accepted(subject.post(pushed))
    refused(subject.post(pushed | {"documents": [subject.document(kind), subject.document(kind)]}), 409)
    return "409 for other content"


def refuses_unknown_fields(subject: Subject, kind: Kind) -> str:
    """One field that is not in the schema refuses the whole push, which names it and leaves the key free."""
    wrong = subject.document(kind, no_such_field=1)
    pushed = subject.push(kind, subject.document(kind), wrong)
    refused(subject.post(pushed), 422, field="documents.1.no_such_field")
    accepted(subject.post(pushed | {"documents": [subject.document(kind)]}))
    return "named, and the key stayed free"


def refuses_what_is_missing(subject: Subject, kind: Kind) -> str:
    """A required field that is missing is named."""
    required = [one for one in _schema(kind).get("required", ()) if one not in {"fiscal_year", "division"}]
    expect(required, "the schema requires no field")
    wrong = subject.document(kind)
    wrong.pop(required[0], None)
    refused(subject.post(subject.push(kind, wrong)), 422, field=f"documents.0.{required[0]}")
    return f"without {required[0]} it is refused"


def refuses_negative_amounts(subject: Subject, kind: Kind) -> str:
    """An amount below zero is refused where the example's is above."""
    for name in _amounts(subject, kind):
        wrong = subject.document(kind) | {name: -abs(subject.examples[kind.kind][name])}
        refused(subject.post(subject.push(kind, wrong)), 422, field=f"documents.0.{name}")
    return f"negative {', '.join(_amounts(subject, kind)) or 'amounts: it has none'}"


def refuses_parts_of_a_fen(subject: Subject, kind: Kind) -> str:
    """An amount is a whole number: no fraction, no text."""
    wrong_amounts: tuple[Any, ...] = (1.5, "100")
    for name in _amounts(subject, kind):
        for amount in wrong_amounts:
            wrong = subject.document(kind) | {name: amount}
            refused(subject.post(subject.push(kind, wrong)), 422, field=f"documents.0.{name}")
    return "1.5 and text are refused"


def refuses_another_year(subject: Subject, kind: Kind) -> str:
    """A document of another year than its push is named."""
    wrong = subject.document(kind, fiscal_year=subject.examples[kind.kind]["fiscal_year"] + 1)
    refused(subject.post(subject.push(kind, wrong)), 422)
    return "refused"


def bounds_its_pushes(subject: Subject, kind: Kind) -> str:
    """No documents, and more than a thousand, are refused."""
    one = subject.document(kind)
    for number in (0, DOCUMENTS_MOST + 1):
        refused(subject.post(subject.push(kind, *[one] * number)), 422)
    return f"1 to {DOCUMENTS_MOST} documents"


def _schema(kind: Kind) -> dict[str, Any]:
    return kind.push.schema_ if kind.push else {}


def _amounts(subject: Subject, kind: Kind) -> list[str]:
    """Fields of money: whole numbers called so, positive in the example."""
    example = subject.examples[kind.kind]
    fields = _schema(kind).get("properties", {})
    return [
        name
        for name in fields
        if (name == "amount" or name.endswith("_amount"))
        and isinstance(example.get(name), int)
        and example[name] > 0
    ]
