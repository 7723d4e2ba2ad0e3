"""From lines of texts to documents of a kind, by the kind's JSON Schema."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jincai.language import Language
from jincai.socket.drop import names
from jincai.socket.drop.lines import Line, Mistakes, refused
from jincai.socket.drop.names import Name


@dataclass(frozen=True)
class Converted:
    """Documents ready to be pushed: the ``books`` of all of them, and what the file calls each field."""

    lines: Sequence[Line]
    documents: Sequence[dict[str, Any]]
    fiscal_year: int
    division: str
    called: Mapping[str, str]


def convert(lines: Sequence[Line], schema: Mapping[str, Any], lang: Language) -> Converted:
    """The documents that ``lines`` are; an empty text counts as not given.

    Raises:
        FileRefusedError: a name is not known, a text cannot be read, or year and division are missing.
    """
    fields = schema.get("properties", {})
    mistakes = Mistakes()
    columns: dict[str, Name] = {}
    for line in lines:
        for name in line.texts.keys() - columns.keys():
            columns[name] = _column(name, fields, line, lang)
        _refuse_two_names(line, columns, mistakes, lang)
    documents = [_document(line, columns, mistakes) for line in lines]
    # The push is of the books that most lines name; the others are then told apart from it.
    books = Counter(
        (one["fiscal_year"], one["division"])
        for one in documents
        if {"fiscal_year", "division"} <= one.keys()
    ).most_common(1)
    if not books:
        mistakes.add(lines[0], "fiscal_year, division", "", "StYear, AdmDivCode")
    mistakes.refuse_if_any(lang)
    fiscal_year, division = books[0][0]
    called = {column.field: name for name, column in columns.items()}
    return Converted(lines, documents, fiscal_year, division, called)


def _column(name: str, fields: Mapping[str, Any], line: Line, lang: Language) -> Name:
    column = names.STANDARD.get(name) or Name(name, *_reading(fields.get(name, {})))
    if column.field not in fields:
        known = [*fields, *(one for one, to in names.STANDARD.items() if to.field in fields)]
        allowed = f"以下之一:{', '.join(known)}" if lang == "zh" else f"one of {', '.join(known)}"
        raise refused(line.number, name, name, allowed)
    return column


def _reading(schema: Mapping[str, Any]) -> tuple[names.Parse, str]:
    """How a text of our own name is read: as a whole number where only one may stand, else as it is."""
    kinds = {one.get("type") for one in schema.get("anyOf", [schema])}
    return (names.whole, "123") if kinds <= {"integer", "null"} and "integer" in kinds else (str, "")


def _refuse_two_names(line: Line, columns: Mapping[str, Name], mistakes: Mistakes, lang: Language) -> None:
    seen: dict[str, str] = {}
    for name in line.texts:
        field = columns[name].field
        if field in seen:
            mistakes.add(
                line,
                name,
                name,
                f"不与 {seen[field]} 同时出现" if lang == "zh" else f"not beside {seen[field]}",
            )
        seen[field] = name


def _document(line: Line, columns: Mapping[str, Name], mistakes: Mistakes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, text in line.texts.items():
        if not (given := text.strip()):
            continue
        column = columns[name]
        value = column.parse(given)
        if value is None:
            mistakes.add(line, name, given, column.expected)
        else:
            document[column.field] = value
    return document
