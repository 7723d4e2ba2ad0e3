"""The files that answer a dropped one: a receipt with a line for each document, or what was wrong."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from jincai.socket.drop.lines import Line, Mistake


def receipt(form: str, lines: Sequence[Line], results: Sequence[Mapping[str, Any]]) -> bytes:
    """What became of each line, in the ``form`` (``csv`` or ``xml``) of the file that is answered."""
    rows: list[dict[str, Any]] = [
        {"line": line.number, "document": line.place, **result}
        for line, result in zip(lines, results, strict=True)
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return (
        _xml(rows) if form == "xml" else _csv(columns, ([row.get(name) for name in columns] for row in rows))
    )


def refusal(mistakes: Sequence[Mistake]) -> bytes:
    """Everything that is wrong, as CSV; line 0 is the file as a whole."""
    columns = ["line", "field", "found", "expected", "document"]
    return _csv(columns, ([one.line, one.field, one.found, one.expected, one.place] for one in mistakes))


def _csv(columns: Sequence[str], rows: Any) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_said(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _xml(rows: Sequence[Mapping[str, Any]]) -> bytes:
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<receipt>\n']
    for row in rows:
        inner = "".join(f"<{name}>{escape(_said(value))}</{name}>" for name, value in row.items())
        parts.append(f"  <document>{inner}</document>\n")
    return ("".join(parts) + "</receipt>\n").encode("utf-8", "replace")


def _said(value: Any) -> str:
    """As JSON says it, but null as nothing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
