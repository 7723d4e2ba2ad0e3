"""Takes out of a support bundle what must not leave a site: secrets, and what says who was paid or who asked.

Secrets are known by value (the site's vault) and by form. People's data are known by form alone, so whatever
may be one goes: Chinese text in logs, long numbers, quoted values of SQL, what is searched for in an address.
"""

import re
from collections.abc import Iterable

from rollout.apply.scrub import HIDDEN, Scrubber

GONE = "[…]"
# Forms of secrets, wherever they stand.
_SECRETS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s]+(@)"), rf"\1{HIDDEN}\2"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(r"(?i)((?:password|passwd|secret|token|api[_-]?key|cipher-pass)\s*[=:]\s*)\S+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)(cookie:\s*)\S.*"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
)
# What may be a person's, in logs.
_PEOPLE = (
    (re.compile(r"(/[\w./-]*)\?\S*"), rf"\1?{GONE}"),
    (re.compile(r"'(?:[^'\n]|'')*'"), f"'{GONE}'"),
    (re.compile(r"(?<==)\([^()\n]*\)"), f"({GONE})"),  # DETAIL: Key (…)=(…)
    (re.compile(r"[㐀-鿿豈-﫿\U00020000-\U000323af]+"), GONE),
    (re.compile(r"(?<![\d.])(?:1[3-9]\d{9}|\d{12,})[Xx]?(?!\d|\.\d)"), GONE),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), GONE),
)


class Cleaner:
    """Cleans the parts of one site's bundle; ``values`` are the site's secrets."""

    def __init__(self, values: Iterable[str]) -> None:
        self._scrubber = Scrubber(values)

    def text(self, part: str, text: str) -> str:
        """``text`` of ``part``, such as ``logs/jincai``: clean."""
        clean = self._scrubber.text(text)
        for pattern, instead in _SECRETS:
            clean = pattern.sub(instead, clean)
        if part.startswith("logs/"):
            for pattern, instead in _PEOPLE:
                clean = pattern.sub(instead, clean)
        return clean
