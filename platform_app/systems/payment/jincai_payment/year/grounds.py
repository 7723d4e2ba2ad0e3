"""What the seeded year must have for its orders to break the rules: sums, quotas, entries of registers.

Numbers and words are the rules' own.
"""

from collections.abc import Sequence
from dataclasses import replace

from jincai_payment.year.labels import Place
from jincai_payment.year.quotas import Quota
from jincai_payment.year.registers import Contract, Limit, Registers, own_account, union_account
from jincai_payment.year.rule_data import RuleData

# One unit in ten has limits of its own, so many times as high as everybody's.
_OWN_LIMITS_EVERY = 10
_OWN_LIMITS_TIMES = 4
# Fen: nothing that any rule would call large.
MODEST = 300_000
# A quota of nothing else, whose only order asks for a fen more.
_SCANTY = 1_000_000


def sizes(rules: RuleData) -> dict[str, int]:
    """Rule → how many payments break it together."""
    cap, large, split = (
        rules.rules[rule].thresholds[name].value
        for rule, name in (("R3", "cash_day_cap"), ("R2", "large_cash"), ("R4", "split_count"))
    )
    return {"R3": max(2, cap // (large - 1) + 1), "R4": split, "R10": 2}


def most(rules: RuleData, division: str, year: int) -> int:
    """Fen that no ordinary payment is above."""
    return rules.number("R9", "very_large", division, year) - 1


def card_items(rules: RuleData) -> Sequence[str]:
    """Items that ordinary payments settle by official card only."""
    return rules.words("R7", "card_items")


def needed_items(rules: RuleData) -> Sequence[str]:
    """Economic items that every division must pay from: settled by card; dues of a unit's union."""
    return [rules.words("R7", "card_items")[0], rules.words("R1", "union_items")[0]]


def amount(rules: RuleData, place: Place, division: str, year: int, n: int) -> int:
    """Fen that the payment ``n``, at ``place`` in its group, must have."""

    def number(name: str) -> int:
        return rules.number(place.rule, name, division, year)

    match place.rule:
        case "R2":
            return number("large_cash") + (-1 if place.near else n % 1_000_000)
        case "R3":
            # Only the last makes it too much; just the cap is not.
            return _part(number("cash_day_cap") + (not place.near), place)
        case "R4":
            return _part(number("split_limit") - place.near, place)
        case "R7" | "R8" if place.near:
            # Without a reader for cards a little cash will do; so much may be paid to a person.
            return number("small_cash" if place.rule == "R7" else "private_limit")
        case "R10":
            # The group's alike, or one of them a fen more.
            return MODEST + (n - place.member) % 100_000 + place.member * place.near
    return MODEST + n % 100_000


def _part(total: int, place: Place) -> int:
    """A member's part of ``total``; no two alike, which would be another rule's business."""
    part = total // place.size
    return total - sum(part - 1 - n for n in range(place.size - 1)) if place.last else part - 1 - place.member


def quota(rules: RuleData, rule: str, like: Quota, number: int) -> Quota:
    """The quota that an order breaking ``rule`` is paid from: ``like``, or one beside it with ``number``."""
    match rule:
        case "R5":
            return replace(like, number=number, dep_exp_eco_code=rules.words("R5", "provident_items")[0])
        case "R6":
            item = f"{rules.words('R6', 'capital_items')[0]}01"
            return replace(like, number=number, dep_exp_eco_code=item, project_code=f"JJ{number:06}")
        case "R11":
            below_region = ("not_below_region",) if like.division[2:] != "0000" else ()
            lists = ("paid_by_nobody", "national", *below_region)
            items = [item for name in lists for item in rules.words("R11", name)]
            return replace(like, number=number, exp_func_code=f"{items[number % len(items)]:0<6}1")
        case "R14":
            return replace(like, number=number, granted=_SCANTY)
    return like


def registers(rules: RuleData, division: str, units: Sequence[str], building: Sequence[Quota]) -> Registers:
    """An account for each of ``units``, limits for some, contracts for the projects of ``building``."""
    default = (
        ("payment", "R9", "very_large"),
        ("cash_day", "R3", "cash_day_cap"),
        ("cash_month", "R3", "cash_month_cap"),
    )
    limits = [
        Limit(unit, kind, _OWN_LIMITS_TIMES * rules.rules[rule].thresholds[name].value)
        for unit in units[1::_OWN_LIMITS_EVERY]
        for kind, rule, name in default
    ]
    contracts = [_contract(one.agency_code, one.project_code, one.dep_exp_eco_code) for one in building]
    accounts = [own_account(division, place, unit) for place, unit in enumerate(units)]
    unions = [union_account(one) for one in accounts[::_OWN_LIMITS_EVERY]]
    return Registers([*accounts, *unions], contracts, limits)


def _contract(agency_code: str, project_code: str, item: str) -> Contract:
    """Of the project's item, or of another one, in turn."""
    number = project_code.removeprefix("JJ")
    covered = item if int(number) % 2 else f"{item[:-1]}9"
    return Contract(
        agency_code, project_code, f"HT{number}", "示例第一建筑公司", f"4588{number:0>12}", covered
    )
