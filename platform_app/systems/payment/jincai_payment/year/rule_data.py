"""What the shipped rules say in numbers and words, so that the seeded year breaks them as they are today."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jincai.monitoring import rule_file
from jincai.monitoring.rule import Override, Rule

SHIPPED = Path(__file__).parent.parent / "rules"


class RuleData:
    """Thresholds and lists of rules, asked by name; a rule that is not there is a `KeyError`."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules = rules
        self._known: dict[tuple[str, str, str, int], int] = {}

    def number(self, rule: str, name: str, division: str, year: int) -> int:
        """The threshold ``name`` as it is in ``division`` and ``year``."""
        asked = (rule, name, division, year)
        if (known := self._known.get(asked)) is not None:
            return known
        threshold = self.rules[rule].thresholds[name]
        fitting = [one for one in threshold.overrides if _fits(one, division, year)]
        value = max(fitting, key=_precision).value if fitting else threshold.value
        self._known[asked] = value
        return value

    def words(self, rule: str, name: str) -> tuple[str, ...]:
        """The list ``name`` of ``rule``."""
        return self.rules[rule].lists[name]

    def stopping(self, rule: str) -> str:
        """``held`` or ``forbidden`` for a rule that stops an order, else nothing."""
        return {"hold": "held", "forbid": "forbidden"}.get(self.rules[rule].disposal, "")


@cache
def shipped() -> RuleData:
    """The rules that come with the system."""
    files = sorted(SHIPPED.glob("R*.yml"))
    loaded = [rule_file.load(file.read_text(encoding="utf-8"), file.name) for file in files]
    return RuleData({rule.id: rule for rule in loaded})


def _reach(division: str) -> str:
    """The digits that a division shares with all below it."""
    while division.endswith("00"):
        division = division[:-2]
    return division


def _fits(one: Override, division: str, year: int) -> bool:
    below = one.division is None or division.startswith(_reach(one.division))
    return below and one.year in {None, year}


def _precision(one: Override) -> tuple[int, bool]:
    return (len(_reach(one.division or "")), one.year is not None)
