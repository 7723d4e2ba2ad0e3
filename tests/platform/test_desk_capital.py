"""大写金额: the examples of the rules, and every amount can be read back."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jincai_payment.capital import MOST, capital


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (12, "壹角贰分"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (1_230_000, "壹万贰仟叁佰元整"),
        # Of the rules: 1,409.50 · 6,007.14 · 16,409.02 · 325.04 · 1,680.32 · 107,000.53
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (168_032, "壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (1_000_000_000, "壹仟万元整"),
        (10_000_000_000, "壹亿元整"),
        (10_000_000_100, "壹亿零壹元整"),
        (10_001_000_000, "壹亿零壹万元整"),
        (10_000_100_000, "壹亿零壹仟元整"),
        (100_000_001_000_000, "壹万亿零壹万元整"),
        (10**15, "壹拾万亿元整"),
        (-4_000, "负肆拾元整"),
    ],
)
def test_as_the_rules_say(fen: int, said: str) -> None:
    assert capital(fen) == said


def read_back(said: str) -> int:
    """Fen of the words, read by another way than they were made."""
    sign = -1 if said.startswith("负") else 1
    found = re.fullmatch(r"负?(?:(.+)元)?零?(?:(.)角)?(?:(.)分)?整?", said)
    assert found
    whole, jiao, fen = found.groups()
    digits = "零壹贰叁肆伍陆柒捌玖"
    return sign * (number(whole or "零") * 100 + digits.index(jiao or "零") * 10 + digits.index(fen or "零"))


def number(said: str) -> int:
    for unit, size in (("亿", 10**8), ("万", 10**4), ("仟", 1000), ("佰", 100), ("拾", 10)):
        if unit in said:
            high, _, low = said.rpartition(unit)
            return number(high) * size + (number(low) if low else 0)
    return "零壹贰叁肆伍陆柒捌玖".index(said.lstrip("零") or "零")


@given(st.one_of(st.integers(1 - MOST, MOST - 1), st.integers(0, 10**7)))
@example(10**16)
@example(10_010_010_010_010_010)
def test_every_amount_can_be_read_back(fen: int) -> None:
    said = capital(fen)
    assert read_back(said) == fen
    assert "零零" not in said
    assert said.endswith(("整", "分"))


def test_beyond_words() -> None:
    with pytest.raises(ValueError, match="beyond words"):
        capital(MOST)
