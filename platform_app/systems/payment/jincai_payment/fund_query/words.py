"""The words of a question: parted at spaces, each to be found as it is, wherever it stands."""

import unicodedata
from typing import Literal

# A question of more words says nothing more.
WORDS_MOST = 8
TEXT_MOST = 100

Place = Literal["any", "purpose", "payee"]


def plain(said: str) -> str:
    """``said`` as ``payment.searched()`` compares: no case, no full-width twins of letters."""
    return unicodedata.normalize("NFKC", said).lower()


def split(said: str) -> list[str]:
    """The words of ``said``, each once, in their order.

    Raises:
        ValueError: more than `WORDS_MOST`.
    """
    words = list(dict.fromkeys(plain(said).split()))
    if len(words) > WORDS_MOST:
        raise ValueError(f"{len(words)} words; {WORDS_MOST} at most")
    return words


def asked(**said: str | None) -> list[dict[str, str]]:
    """Place → words, as ``payment.find()`` is asked for them."""
    return [{"of": place, "word": word} for place, text in said.items() if text for word in split(text)]
