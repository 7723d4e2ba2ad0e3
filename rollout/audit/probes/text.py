"""JSON written and files read, without the modules that take longer to import than that takes."""

from __future__ import annotations

from _json import encode_basestring_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dumps(value: Any) -> str:
    """As ``json.dumps``, with no blanks; a number that JSON has no word for becomes null."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{dumps(str(key))}:{dumps(one)}" for key, one in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([dumps(one) for one in value]) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None or value - value != 0 else repr(value)


def read(path: str) -> str | None:
    """The text of a file, whatever its bytes; None when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
