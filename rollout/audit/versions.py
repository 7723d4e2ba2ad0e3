"""Which of two versions is older: Debian packages by Debian's rules, Python dists by PEP 440."""

import re
from functools import cache

from packaging.version import InvalidVersion, Version

_PARTS = re.compile(r"(\D*)(\d*)")


@cache
def compare_debian(one: str, other: str) -> int:
    """-1, 0 or 1, exactly as ``dpkg --compare-versions`` (deb-version(7)): epoch, upstream, revision."""
    for a, b in zip(_split(one), _split(other), strict=True):
        order = _compare_part(a, b)
        if order:
            return order
    return 0


def compare_python(one: str, other: str) -> int:
    """-1, 0 or 1 by PEP 440; what is no version sorts before all that are one."""
    a, b = _python_key(one), _python_key(other)
    return (a > b) - (a < b)


def upstream(version: str) -> str:
    """What a program says of itself: the upstream part of ``1:2.6.12-1+deb12u2`` is ``2.6.12``."""
    return re.split(r"[+~](?:dfsg|ds|really|debian)", _split(version)[1])[0]


def _split(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    head, dash, tail = rest.rpartition("-")
    return (epoch, head, tail) if dash else (epoch, rest, "0")


def _compare_part(one: str, other: str) -> int:
    a, b = _parts(one), _parts(other)
    for index in range(max(len(a), len(b))):
        text_a, number_a = a[index] if index < len(a) else ("", 0)
        text_b, number_b = b[index] if index < len(b) else ("", 0)
        order = _compare_text(text_a, text_b) or (number_a > number_b) - (number_a < number_b)
        if order:
            return order
    return 0


def _parts(text: str) -> list[tuple[str, int]]:
    return [(word, int(number or 0)) for word, number in _PARTS.findall(text) if word or number]


def _compare_text(one: str, other: str) -> int:
    for index in range(max(len(one), len(other))):
        order = _weight(one, index) - _weight(other, index)
        if order:
            return 1 if order > 0 else -1
    return 0


def _weight(text: str, index: int) -> int:
    """Letters before other characters, the end before both, and ``~`` before the end."""
    if index >= len(text):
        return 0
    character = text[index]
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _python_key(text: str) -> tuple[int, Version, str]:
    try:
        return 1, Version(text), ""
    except InvalidVersion:
        return 0, Version("0"), text
