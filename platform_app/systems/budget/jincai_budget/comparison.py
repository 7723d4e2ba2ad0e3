"""Comparison of a proposal's stages (各阶段对比), line by line and in total."""

from collections.abc import Collection, Iterable
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from jincai_budget.line import KeptLine
from jincai_budget.procedure import STAGES, Stage


class Difference(BaseModel):
    """From one stage to the next: ``amount`` in fen, ``percent`` of the former, None where that is 0."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    amount: int
    percent: Decimal | None


class Compared(BaseModel):
    """One key's amounts by stage, in fen; a stage in which the key has no line has none."""

    model_config = ConfigDict(frozen=True)

    bgt_type_code: str
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    summary: str
    amounts: dict[Stage, int]
    differences: list[Difference]


class Comparison(BaseModel):
    """Every key that any stage has; ``totals`` of each stage in fen, and how they differ."""

    model_config = ConfigDict(frozen=True)

    stages: list[Stage]
    lines: list[Compared]
    totals: dict[Stage, int]
    differences: list[Difference]


def compare(lines: Iterable[KeptLine], shown: Collection[Stage]) -> Comparison:
    """The stages ``shown`` side by side, each with its difference from the one before."""
    by_key: dict[tuple[str, ...], dict[Stage, KeptLine]] = {}
    for line in lines:
        if line.stage in shown:
            by_key.setdefault(line.key, {})[line.stage] = line
    stages: list[Stage] = [stage for stage in STAGES if stage in shown]
    compared = [_compared(of_key, stages) for _, of_key in sorted(by_key.items())]
    totals = {stage: sum(one.amounts.get(stage, 0) for one in compared) for stage in stages}
    return Comparison(stages=stages, lines=compared, totals=totals, differences=_differences(totals, stages))


def _compared(of_key: dict[Stage, KeptLine], stages: list[Stage]) -> Compared:
    # The latest stage's words: they are what is approved in the end.
    latest = of_key[next(stage for stage in reversed(stages) if stage in of_key)]
    amounts = {stage: of_key[stage].amount for stage in stages if stage in of_key}
    return Compared(
        **latest.model_dump(include=set(Compared.model_fields) - {"amounts", "differences"}),
        amounts=amounts,
        differences=_differences(amounts, stages),
    )


def _differences(amounts: dict[Stage, int], stages: list[Stage]) -> list[Difference]:
    """What is not there counts as nothing: a line left out was reduced to zero."""
    found = []
    for former, stage in pairwise(stages):
        was, is_now = amounts.get(former, 0), amounts.get(stage, 0)
        found.append(Difference(stage=stage, amount=is_now - was, percent=_percent(is_now - was, was)))
    return found


def _percent(difference: int, base: int) -> Decimal | None:
    if base == 0:
        return None
    return (Decimal(difference) * 100 / base).quantize(Decimal("0.01"), ROUND_HALF_UP)
