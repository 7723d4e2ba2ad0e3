"""The functions of the rule language. None can fail, whatever it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from jincai.monitoring.language.tree import Type

_DIGITS = "0123456789"
# Ideographs of Unicode's basic plane, and what extends them.
_CHINESE = r"E'[\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0003ffff]'"


@dataclass(frozen=True, slots=True)
class Function:
    """A function: what it is asked (``words``: a list's name), what it answers, and its SQL.

    ``inside``: its words come as LIKE patterns that find them anywhere in a text. ``least`` and ``most``
    bound an integer answer, so that what lies beyond them is seen to be impossible.
    """

    arguments: tuple[Type | Literal["words"], ...]
    answer: Type
    sql: Callable[..., str]
    inside: bool = False
    least: int | None = None
    most: int | None = None


def _part(part: str) -> Callable[[str], str]:
    return lambda date: f"extract({part} FROM {date})"


FUNCTIONS: Mapping[str, Function] = {
    "one_of": Function(("text", "words"), "boolean", lambda text, words: f"({text} = ANY ({words}))"),
    "contains": Function(("text", "text"), "boolean", lambda text, word: f"(position({word} IN {text}) > 0)"),
    # An operator with ANY runs over a constant array; a sub-select of unnest() would be a scan each time.
    "contains_any": Function(
        ("text", "words"), "boolean", lambda text, patterns: f"({text} LIKE ANY ({patterns}))", inside=True
    ),
    "starts_with": Function(("text", "text"), "boolean", lambda text, word: f"starts_with({text}, {word})"),
    "starts_with_any": Function(
        ("text", "words"), "boolean", lambda text, words: f"({text} ^@ ANY ({words}))"
    ),
    "ends_with": Function(
        ("text", "text"), "boolean", lambda text, word: f"(right({text}, length({word})) = {word})"
    ),
    "length": Function(("text",), "integer", lambda text: f"length({text})", least=0),
    "is_digits": Function(
        ("text",), "boolean", lambda text: f"({text} <> '' AND translate({text}, '{_DIGITS}', '') = '')"
    ),
    "has_chinese": Function(("text",), "boolean", lambda text: f"({text} ~ {_CHINESE})"),
    "one_character": Function(
        ("text",), "boolean", lambda text: f"({text} <> '' AND replace({text}, left({text}, 1), '') = '')"
    ),
    "year": Function(("date",), "integer", _part("year")),
    "month": Function(("date",), "integer", _part("month"), least=1, most=12),
    "day": Function(("date",), "integer", _part("day"), least=1, most=31),
    "weekday": Function(("date",), "integer", _part("isodow"), least=1, most=7),
}
