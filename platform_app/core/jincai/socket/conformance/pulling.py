"""What a kind that may be pulled has to keep."""

from typing import Any

from jincai.socket.conformance import schema
from jincai.socket.conformance.subject import Subject, accepted, expect, refused
from jincai.socket.kinds import Kind

# Documents looked at, at most.
LOOKED_AT = 1000
# A long list is walked in small steps only so far.
_STEPS = 30


def offers_a_schema(_: Subject, kind: Kind) -> str:
    """The schema tells all fields, year and division among them."""
    fields = kind.pull.schema_.get("properties", {}) if kind.pull else {}
    for name in ("fiscal_year", "division"):
        expect(name in fields, f"the schema has no {name}")
    return f"{len(fields)} fields"


def fits_its_schema(subject: Subject, kind: Kind) -> str:
    """Every document is as its schema says."""
    items = _some(subject, kind)
    for one in items:
        differs = schema.differs(one["document"], kind.pull.schema_ if kind.pull else {})
        expect(not differs, f"document {one['id']}: {differs}")
    return f"{len(items)} documents"


def keeps_to_the_books(subject: Subject, kind: Kind) -> str:
    """Nothing of another year or division is given."""
    for one in _some(subject, kind):
        books = (one["document"].get("fiscal_year"), one["document"].get("division"))
        expect(books == (subject.fiscal_year, subject.division), f"document {one['id']} is of {books}")
    return f"all of {subject.division}, {subject.fiscal_year}"


def counts_in_whole_fen(subject: Subject, kind: Kind) -> str:
    """No number has a fraction, not even .0: money is a whole number of fen."""
    for one in _some(subject, kind):
        broken = _fraction(one["document"], "")
        expect(not broken, f"document {one['id']}: {broken} is no whole number")
    return "every number is whole"


def pages_stably(subject: Subject, kind: Kind) -> str:
    """Pages of any size give the same documents in the same order, by growing ids."""
    whole = _some(subject, kind)
    ids = [one["id"] for one in whole]
    expect(all(isinstance(one, int) for one in ids), "ids are not whole numbers")
    expect(ids == sorted(set(ids)), f"ids do not grow: {ids[:10]}")
    expect(_some(subject, kind)[: len(whole)] == whole, "the same page asked again is another one")
    for limit in (1, 3):
        some = _walk(subject, kind, limit, _STEPS)
        expect(some == whole[: len(some)], f"pages of {limit} differ from one page of {LOOKED_AT}")
        expect(
            len(some) >= min(len(whole), _STEPS * limit), f"pages of {limit} end after {len(some)} documents"
        )
    return f"the same {len(whole)} documents in pages of 1, 3 and {LOOKED_AT}"


def bounds_its_pages(subject: Subject, kind: Kind) -> str:
    """More than a thousand at once, or none, is not asked for."""
    for limit in (0, LOOKED_AT + 1):
        refused(subject.get("/documents", _query(subject, kind, 0, limit)), 422)
    return f"limit is 1 to {LOOKED_AT}"


def _query(subject: Subject, kind: Kind, after: int, limit: int) -> dict[str, object]:
    books = {"fiscal_year": subject.fiscal_year, "division": subject.division}
    return {"kind": kind.kind, **books, "after": after, "limit": limit}


def _page(subject: Subject, kind: Kind, after: int, limit: int) -> dict[str, Any]:
    page: dict[str, Any] = accepted(subject.get("/documents", _query(subject, kind, after, limit)))
    for name in ("items", "next", "more"):
        expect(name in page, f"the answer has no {name}")
    items = page["items"]
    expect(len(items) <= limit, f"{len(items)} documents where {limit} were asked for")
    for one in items:
        expect(isinstance(one, dict) and {"id", "document"} <= one.keys(), "an item lacks id or document")
    expect(page["next"] == (items[-1]["id"] if items else after), f"next is {page['next']}, not the last id")
    return page


def _some(subject: Subject, kind: Kind) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = _page(subject, kind, 0, LOOKED_AT)["items"]
    where = f"{subject.division}, {subject.fiscal_year}"
    expect(len(items) > 1, f"{len(items)} documents in {where}: nothing can be shown; choose other books")
    return items


def _walk(subject: Subject, kind: Kind, limit: int, steps: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    for _ in range(steps):
        page = _page(subject, kind, after, limit)
        found += page["items"]
        after = page["next"]
        if not page["more"]:
            break
    return found


def _fraction(value: Any, where: str) -> str:
    if isinstance(value, float):
        return f"{where} {value}"
    if isinstance(value, dict):
        return next(filter(None, (_fraction(one, f"{where}.{name}") for name, one in value.items())), "")
    if isinstance(value, list):
        return next(filter(None, (_fraction(one, f"{where}[{n}]") for n, one in enumerate(value))), "")
    return ""
