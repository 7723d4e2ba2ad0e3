"""Values as SQL literals, safe wherever a predicate is put.

A predicate is part of statements that are given parameters, too, and that are put together by templates: so
``%``, ``{`` and ``}`` are written as escapes, and a backslash means itself whatever the server's settings.
"""

import datetime as dt
import re

from jincai.monitoring.language.errors import Refused

_LIKE_SIGN, _BEFORE = re.compile(r"[\\%_]"), r"\\\g<0>"
_ESCAPED = {"\\": r"\\", "%": r"\x25", "{": r"\x7b", "}": r"\x7d"}


def literal(value: str | int | dt.date | bool) -> str:
    """The SQL of a value.

    Raises:
        Refused: a text that PostgreSQL cannot hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    return _text(value)


def array(words: tuple[str, ...]) -> str:
    """The SQL of a list of texts."""
    return f"ARRAY[{', '.join(map(_text, words))}]::text[]"


def patterns(words: tuple[str, ...]) -> str:
    """The SQL of a list of LIKE patterns, each of which finds its word anywhere."""
    return array(tuple(f"%{_LIKE_SIGN.sub(_BEFORE, word)}%" for word in words))


def _text(value: str) -> str:
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise Refused(f"{value!r} holds a sign that no text of the database can hold")
    quoted = "".join(_ESCAPED.get(sign, sign) for sign in value.replace("'", "''"))
    return f"E'{quoted}'" if "\\" in quoted else f"'{quoted}'"
