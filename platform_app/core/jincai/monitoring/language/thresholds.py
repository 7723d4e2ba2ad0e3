"""阈值: a threshold as SQL, with its other values in divisions and years; the most specific one counts.

A division says which part of its code it covers: ``450100`` is ``4501…``, all of Nanning; ``450000`` is
``45…``, all of Guangxi. The smaller area comes first; within an area a year comes before no year.
"""

from collections.abc import Iterable

from jincai.monitoring.language.literals import literal
from jincai.monitoring.rule import Override, Threshold
from jincai.monitoring.vocabulary import Vocabulary


def prefix(division: str) -> str:
    """What the codes of a division and of all below it begin with: 450100 → 4501."""
    while len(division) > 2 and division.endswith("00"):
        division = division[:-2]
    return division


def problems(name: str, threshold: Threshold, vocabulary: Vocabulary) -> Iterable[str]:
    """What is wrong with a threshold's overrides."""
    where = f"thresholds: {name}"
    seen: set[tuple[str, int | None]] = set()
    for one in threshold.overrides:
        key = (prefix(one.division) if one.division else "", one.year)
        if key in seen:
            yield f"{where}: two values for division {one.division or 'any'}, year {one.year or 'any'}"
        seen.add(key)
    needed = {"division"} if any(one.division for one in threshold.overrides) else set()
    needed |= {"fiscal_year"} if any(one.year for one in threshold.overrides) else set()
    for field in sorted(needed - set(vocabulary.fields)):
        yield f"{where}: these records have no {field}, so it cannot have other values by it"


def sql(threshold: Threshold, vocabulary: Vocabulary) -> str:
    """The threshold's value for the judged record."""
    ordered = sorted(threshold.overrides, key=_rank)
    if not ordered:
        return literal(threshold.value)
    cases = " ".join(f"WHEN {_applies(one, vocabulary)} THEN {literal(one.value)}" for one in ordered)
    return f"(CASE {cases} ELSE {literal(threshold.value)} END)"


def _rank(one: Override) -> tuple[int, str, int]:
    area = prefix(one.division) if one.division else ""
    return (-len(area), area, -(one.year or 0))


def _applies(one: Override, vocabulary: Vocabulary) -> str:
    terms = []
    if one.division:
        terms.append(f"starts_with({vocabulary.fields['division'].sql}, {literal(prefix(one.division))})")
    if one.year:
        terms.append(f"{vocabulary.fields['fiscal_year'].sql} = {literal(one.year)}")
    return " AND ".join(terms)
