"""Debian's order of versions, held against dpkg itself."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout.audit.versions import compare_debian, compare_python, upstream

DPKG = shutil.which("dpkg")
KNOWN = [
    ("1.0", "1.0", 0),
    ("1.0", "1.0-0", 0),
    ("0:1.0", "1.0", 0),
    ("1.0~rc1", "1.0", -1),
    ("1.0~~", "1.0~", -1),
    ("1.0", "1.0a", -1),
    ("1.0a", "1.0+", -1),
    ("1.9", "1.10", -1),
    ("1.09", "1.9", 0),
    ("2:1.0", "1:9.9", 1),
    ("1.0-1", "1.0-1.1", -1),
    ("1.0-1~deb12u1", "1.0-1", -1),
    ("15.14-0+deb12u1", "15.20-0+deb12u1", -1),
    ("3.4.23-4+b4", "3.4.23-4", 1),
    ("1.0-a-1", "1.0-a-2", -1),
]

_part = st.text(alphabet="0123456789abzAZ.+~", min_size=1, max_size=9).map(lambda text: f"1{text}")
_versions = st.builds(
    lambda epoch, head, tail: f"{epoch}{head}{tail}",
    st.sampled_from(["", "0:", "1:", "02:"]),
    _part,
    st.one_of(st.just(""), _part.map(lambda text: f"-{text}")),
)


@pytest.mark.parametrize(("one", "other", "order"), KNOWN)
def test_known_orders(one: str, other: str, order: int) -> None:
    assert compare_debian(one, other) == order
    assert compare_debian(other, one) == -order


def _dpkg(one: str, other: str) -> int:
    for relation, order in (("lt", -1), ("gt", 1)):
        if subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False).returncode == 0:
            return order
    return 0


@pytest.mark.skipif(DPKG is None, reason="dpkg is not on this machine")
@settings(max_examples=300, deadline=None)
@given(_versions, _versions)
def test_the_order_is_dpkgs(one: str, other: str) -> None:
    assert compare_debian(one, other) == _dpkg(one, other)


@given(_versions, _versions, _versions)
def test_it_is_an_order(one: str, two: str, three: str) -> None:
    assert compare_debian(one, one) == 0
    assert compare_debian(one, two) == -compare_debian(two, one)
    if compare_debian(one, two) <= 0 and compare_debian(two, three) <= 0:
        assert compare_debian(one, three) <= 0


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [("1.0", "1.0.0", 0), ("1.0rc1", "1.0", -1), ("1.10", "1.9", 1), ("", "1.0", -1), ("odd", "0.0.1", -1)],
)
def test_python_versions(one: str, other: str, order: int) -> None:
    assert compare_python(one, other) == order


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1:2.6.12-1+deb12u2", "2.6.12"),
        ("3.4.23-4+b4", "3.4.23"),
        ("3.0.2-1", "3.0.2"),
        ("5.9+dfsg-2", "5.9"),
        ("20230311", "20230311"),
    ],
)
def test_what_a_program_says_of_itself(version: str, said: str) -> None:
    assert upstream(version) == said
