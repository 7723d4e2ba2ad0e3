import pytest
from jincai import versions


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("1.0.0", ">=1.0,<2"),
        ("1.10.0", ">1.9"),
        ("1.2", "==1.2.0"),
        ("1.4.9", "~=1.2"),
        ("1.2.9", "~=1.2.3"),
        ("2", "!=1"),
    ],
)
def test_matches(version: str, specifier: str) -> None:
    assert versions.matches(version, specifier)


@pytest.mark.parametrize(
    ("version", "specifier"), [("2.0.0", ">=1.0,<2"), ("1.3.0", "~=1.2.3"), ("1.0.0", "<1"), ("0.9", "~=1.2")]
)
def test_does_not_match(version: str, specifier: str) -> None:
    assert not versions.matches(version, specifier)


@pytest.mark.parametrize(
    ("version", "specifier"),
    [("1.0", ""), ("1.0", "1.0"), ("1.0", ">=1.x"), ("1.0", "~=1"), ("1.0rc1", ">=1")],
)
def test_nonsense_is_named(version: str, specifier: str) -> None:
    with pytest.raises(ValueError, match=r"specifier|released version|two numbers"):
        versions.matches(version, specifier)
