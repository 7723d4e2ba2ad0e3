"""Amounts of the seeded year: heavy-tailed, none beyond what a single payment may be, exact in sum."""

import random
from array import array
from collections.abc import Mapping, Sequence

LEAST = 100


def made(
    draw: random.Random,
    count: int,
    fen: int,
    most: int,
    fixed: Mapping[int, int],
) -> "array[int]":
    """``count`` amounts in fen that sum to ``fen``, none above ``most``.

    ``fixed``: position → the amount it must have.
    """
    weights = array("d", (draw.lognormvariate(0.0, 2.0) for _ in range(count)))
    for n in fixed:
        weights[n] = 0.0
    scale = _scale(weights, fen - sum(fixed.values()), most)
    amounts = array("q", (min(most, max(LEAST, int(weight * scale))) for weight in weights))
    for n, amount in fixed.items():
        amounts[n] = amount
    # What rounding left, or took, goes to the largest that has room for it, and does not notice.
    rest = fen - sum(amounts)
    room = (n for n in range(count) if LEAST <= amounts[n] + rest <= most and n not in fixed)
    amounts[max(room, key=amounts.__getitem__)] += rest
    return amounts


def _scale(weights: Sequence[float], fen: int, most: int) -> float:
    """What to multiply weights with, so that they sum to ``fen`` with those beyond ``most`` cut off there."""
    left = sum(weights)
    # Cutting moves money down to the others; it may double the scale, not more.
    high = sorted((weight for weight in weights if 2 * weight * fen > most * left), reverse=True)
    for cut, weight in enumerate(high):
        scale = (fen - cut * most) / left
        if weight * scale <= most:
            return scale
        left -= weight
    if high:
        raise ValueError(f"payments of at most {most} fen each do not sum to {fen} fen")
    return fen / left
