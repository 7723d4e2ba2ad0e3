"""Long lists as PostgreSQL reads arrays: made in one go, several times sooner than element by element.

For thousands of elements; the statement says what they are (``%s::bigint[]``).
"""

from collections.abc import Iterable


def integers(numbers: Iterable[int]) -> str:
    """For ``bigint[]`` and its like."""
    return f"{{{','.join(map(str, numbers))}}}"


def booleans(found: Iterable[bool]) -> str:
    """For ``boolean[]``."""
    return f"{{{','.join(['t' if one else 'f' for one in found])}}}"


def texts(words: Iterable[str]) -> str:
    """For ``text[]``; each is quoted, so that none is read as NULL or as two."""
    return f"{{{','.join(map(_quoted, words))}}}"


def _quoted(word: str) -> str:
    if "\\" in word or '"' in word:
        word = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{word}"'
