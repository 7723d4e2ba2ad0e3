"""What a person is told when the procedure does not allow what they ask, in both languages."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException, Request
from jincai import language


class RefusalError(Exception):
    """Not done; ``status`` as of HTTP, the text names the thing and the way out."""

    def __init__(self, status: int, chinese: str, english: str) -> None:
        super().__init__(english)
        self.status = status
        self.chinese = chinese
        self.english = english

    def text(self, request: Request) -> str:
        """The text in the reader's language."""
        return self.chinese if language.of(request) == "zh" else self.english


@contextmanager
def answered(request: Request) -> Iterator[None]:
    """A refusal inside becomes the answer to ``request``.

    Raises:
        HTTPException: with the refusal's status and text.
    """
    try:
        yield
    except RefusalError as refusal:
        raise HTTPException(refusal.status, refusal.text(request)) from refusal


def yuan(fen: int) -> str:
    """Fen as yuan for a message: 123456 → 1,234.56."""
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{rest // 100:,}.{rest % 100:02}"
