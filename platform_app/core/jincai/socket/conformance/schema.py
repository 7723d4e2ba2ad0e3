"""As much of JSON Schema as documents need; what it does not know it does not judge."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda one: isinstance(one, dict),
    "array": lambda one: isinstance(one, list),
    "string": lambda one: isinstance(one, str),
    "integer": lambda one: isinstance(one, int) and not isinstance(one, bool),
    "number": lambda one: isinstance(one, int | float) and not isinstance(one, bool),
    "boolean": lambda one: isinstance(one, bool),
    "null": lambda one: one is None,
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda one, bound: one >= bound,
    "maximum": lambda one, bound: one <= bound,
    "exclusiveMinimum": lambda one, bound: one > bound,
    "exclusiveMaximum": lambda one, bound: one < bound,
    "minLength": lambda one, bound: len(one) >= bound,
    "maxLength": lambda one, bound: len(one) <= bound,
    "pattern": lambda one, bound: re.search(bound, one) is not None,
    "enum": lambda one, bound: one in bound,
    "const": lambda one, bound: one == bound,
}


def differs(value: Any, schema: Mapping[str, Any], where: str = "") -> str:
    """The first thing in which ``value`` differs from ``schema``, with its place; "" if it fits."""
    return next(_differences(value, schema, schema, where), "")


def _differences(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _elsewhere(value, schema, root, where)
    if (kind := schema.get("type")) in _TYPES and not _TYPES[kind](value):
        yield f"{where or 'it'} is {value!r:.60}, not {kind}"
        return
    for word, holds in _BOUNDS.items():
        if word in schema and not _holds(holds, value, schema[word]):
            yield f"{where or 'it'} is {value!r:.60}: not {word} {schema[word]!r:.80}"
    if schema.get("format") == "date" and not _is_date(value):
        yield f"{where or 'it'} is {value!r:.60}, not a date"
    if isinstance(value, dict):
        yield from _in_object(value, schema, root, where)
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _differences(one, schema.get("items", {}), root, f"{where}[{place}]")


def _elsewhere(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    """What schemas say that this one points to or lets choose from."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        yield from _differences(value, root.get("$defs", {}).get(name, {}), root, where)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        found = [next(_differences(value, one, root, where), "") for one in choices]
        if all(found):
            yield found[0]


def _in_object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], where: str
) -> Iterator[str]:
    fields = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}.{name} is missing".lstrip(".")
    for name, one in value.items():
        inner = f"{where}.{name}".lstrip(".")
        if name in fields:
            yield from _differences(one, fields[name], root, inner)
        elif schema.get("additionalProperties") is False:
            yield f"{inner} is not in the schema"


def _holds(holds: Callable[[Any, Any], bool], value: Any, bound: Any) -> bool:
    try:
        return holds(value, bound)
    except (TypeError, re.error):
        return False


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(dt.date.fromisoformat(value))
    except ValueError:
        return False
