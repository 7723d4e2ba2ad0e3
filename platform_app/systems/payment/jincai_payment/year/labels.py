"""Where the seeded year breaks which rule: payments that post with an alert, and orders that rules stop."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# During payment: members of groups among the payments. Before payment: further orders, which do not post.
DURING = ("R2", "R3", "R4", "R7", "R8", "R10")
BEFORE = ("R1", "R5", "R6", "R9", "R11", "R12", "R14")
# Groups that only just do not break their rule.
NEAR = ("R1", "R2", "R3", "R4", "R7", "R8", "R10")
# One group of each kind, and one further order, for about so many payments.
EVERY = 5_000
_TRIES = 100


class Place(NamedTuple):
    """A payment's place in a group that breaks a rule together: its last member is what breaks it.

    A ``near`` one does not: it is by a fen, say, on the right side.
    """

    rule: str
    member: int
    size: int
    near: bool

    @property
    def last(self) -> bool:
        """Whether this is the member that decides."""
        return self.member == self.size - 1

    @property
    def label(self) -> str:
        """The rule, for the member that breaks it; the ones before it break nothing."""
        return self.rule if self.last and not self.near else ""


@dataclass(frozen=True, slots=True)
class Labels:
    """Position of a payment → its place in a group; position of a payment → rule of the order after it."""

    places: dict[int, Place] = field(default_factory=dict)
    further: dict[int, str] = field(default_factory=dict)


def made(
    draw: random.Random, counts: Mapping[str, int], sizes: Mapping[str, int], every: int = EVERY
) -> Labels:
    """Labels for divisions that follow each other; ``sizes``: rule → members of a group, if more than one."""
    labels = Labels()
    during, near, before = map(itertools.cycle, (DURING, NEAR, BEFORE))
    start = 0
    for count in counts.values():
        payments = range(start, start + count)
        for _ in range(count // every):
            for rules in (during, near):
                rule = next(rules)
                group = [Place(rule, n, sizes.get(rule, 1), rules is near) for n in range(sizes.get(rule, 1))]
                _place_group(labels.places, draw, payments, group)
        for _ in range(count // every):
            _place_order(labels, draw, payments, next(before))
        start += count
    return labels


def _place_group(
    places: dict[int, Place], draw: random.Random, payments: range, group: Sequence[Place]
) -> None:
    size = len(group)
    for _ in range(_TRIES if len(payments) > size else 0):
        first = payments[draw.randrange(len(payments) - size)]
        # Groups stay apart, so that a label means one thing.
        if not any(near in places for near in range(first - 1, first + size + 1)):
            places.update(zip(range(first, first + size), group, strict=True))
            return
    raise ValueError(f"no place for a group of {group[0].rule} among {len(payments)} payments")


def _place_order(labels: Labels, draw: random.Random, payments: range, rule: str) -> None:
    for _ in range(_TRIES):
        after = draw.choice(payments)
        if after not in labels.places and after not in labels.further:
            labels.further[after] = rule
            return
    raise ValueError(f"no place for an order of {rule} among {len(payments)} payments")
