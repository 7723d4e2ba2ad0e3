"""Which platform versions a system works with.

A subset of PEP 440 that is enough for released versions of our own dists (numbers and dots), so that
a city host needs no further package to decide it.
"""

import operator
import re
from collections.abc import Callable

_CLAUSE = re.compile(r"^(==|!=|>=|<=|>|<|~=)\s*(\d+(?:\.\d+){0,3})$")
_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def matches(version: str, specifier: str) -> bool:
    """Whether ``version`` (such as ``1.2.0``) satisfies every clause of ``specifier`` (``>=1.0,<2``).

    Raises:
        ValueError: either of the two is not of the form above.
    """
    return all(_clause_holds(_numbers(version), clause) for clause in specifier.split(","))


def _clause_holds(version: tuple[int, ...], clause: str) -> bool:
    found = _CLAUSE.match(clause.strip())
    if not found:
        raise ValueError(f"not a version specifier: {clause.strip()!r}; write for example >=1.0,<2")
    sign, wanted = found.groups()
    if sign == "~=":
        if "." not in wanted:
            raise ValueError(f"~= needs two numbers at least: {clause.strip()!r}")
        head = tuple(int(part) for part in wanted.split("."))[:-1]
        return version >= _numbers(wanted) and version[: len(head)] == head
    return _COMPARE[sign](version, _numbers(wanted))


def _numbers(version: str) -> tuple[int, ...]:
    """``1.2`` as (1, 2, 0, 0): padded, so that 1.2 equals 1.2.0."""
    if not re.fullmatch(r"\d+(\.\d+){0,3}", version):
        raise ValueError(f"not a released version: {version!r}; expected numbers and dots")
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))
