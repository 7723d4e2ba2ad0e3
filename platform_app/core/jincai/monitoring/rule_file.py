"""规则文件: a rule's YAML file read, with every mistake told by file, line and what was expected."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from jincai.errors import DataFileError
from jincai.monitoring import yaml_lines
from jincai.monitoring.rule import Example, Examples, Exemption, Override, Rule, Threshold
from jincai.monitoring.yaml_lines import Document, Path

PROBLEMS_MOST = 20
# Which keys there are, by the key under which a part of the rule stands.
_PARTS: dict[str, type[BaseModel]] = {
    "thresholds": Threshold,
    "overrides": Override,
    "exempt": Exemption,
    "examples": Examples,
    "fires": Example,
    "passes": Example,
}
_EXPECTED = {
    "missing": "is missing",
    "string_type": "a text is expected",
    "int_type": "an integer is expected",
    "int_parsing": "an integer is expected",
    "tuple_type": "a list is expected: one '- …' a line",
    "dict_type": "a mapping is expected: one 'name: …' a line",
    "mapping_type": "a mapping is expected: one 'name: …' a line",
    "model_type": "a mapping is expected: one 'name: …' a line",
    "bool_type": "true or false is expected",
    "literal_error": "{expected} is expected",
    "string_too_short": "a text is expected, not an empty one",
    "string_too_long": "{max_length} characters are the most",
    "string_pattern_mismatch": "what is expected looks like {pattern}",
    "too_short": "{min_length} at least are expected",
    "too_long": "{max_length} are the most",
}


class RuleFileError(DataFileError):
    """A rule file is wrong; ``problems`` are lines ``file:line: path: what was expected``."""

    def __init__(self, problems: Iterable[str]) -> None:
        found = tuple(problems)
        left = len(found) - PROBLEMS_MOST
        self.problems = found[:PROBLEMS_MOST] + ((f"… and {left} more",) if left > 0 else ())
        super().__init__("\n".join(self.problems))


def load(text: str, name: str) -> Rule:
    """The rule in ``text``; ``name`` is what messages call the file.

    Raises:
        RuleFileError: with everything that is wrong, at most 20 at once.
    """
    try:
        document = yaml_lines.read(text)
    except yaml_lines.Unreadable as unreadable:
        raise RuleFileError(f"{name}:{line}: {said}" for line, said in unreadable.problems) from unreadable
    data = document.value
    if not isinstance(data, dict):
        raise RuleFileError([f"{name}:1: a rule is a mapping, which begins with id"])
    problems = []
    if next(iter(data), "id") != "id" and "id" in data:
        problems.append(f"{name}:{document.line(('id',))}: id: must be the first key of the file")
    try:
        rule = Rule.model_validate(data)
    except ValidationError as error:
        problems += [f"{name}:{line}: {said}" for line, said in sorted(_problems(error, document))]
        raise RuleFileError(problems) from error
    if problems:
        raise RuleFileError(problems)
    return rule


def _problems(error: ValidationError, document: Document) -> Iterator[tuple[int, str]]:
    told: set[Path] = set()
    for one in error.errors(include_url=False, include_context=True):
        path, more = _path(one["loc"], document)
        if one["type"] == "missing":
            path = (*path, *more)
        if path in told and more:  # the branches of a union say the same thing each
            continue
        told.add(path)
        shown = ".".join(map(str, path)) or "the rule"
        yield document.line(path), f"{shown}: {_expected(one, path)}"


def _path(loc: tuple[str | int, ...], document: Document) -> tuple[Path, Path]:
    """How much of pydantic's location stands in the file, and the rest of it."""
    known = 0
    while known < len(loc) and loc[: known + 1] in document.lines:
        known += 1
    return loc[:known], loc[known:]


def _expected(one: Any, path: Path) -> str:
    if one["type"] == "extra_forbidden":
        return f"there is no such key; there are: {', '.join(_keys(path))}"
    if one["loc"] and one["loc"][-1] == "[key]":
        return "a name is expected: small letters, digits and _, a letter first, 40 at most"
    if len(one["loc"]) > len(path) and one["type"] in _EXPECTED and one["type"] != "missing":
        return "a text, an integer, a date, true or false is expected"
    said = _EXPECTED.get(one["type"])
    if said is None:
        return str(one["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if one["type"] == "string_type" and isinstance(one["input"], (int, dt.date)):
        return f"{said}: write '{one['input']}' in quotes"
    return said.format(**one.get("ctx", {}))


def _keys(path: Path) -> list[str]:
    for key in reversed(path[:-1]):
        if isinstance(key, str) and key in _PARTS:
            return list(_PARTS[key].model_fields)
    return list(Rule.model_fields)
