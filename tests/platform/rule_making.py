"""Rules for tests: whoever needs only an expression gets the rest."""

from collections.abc import Mapping, Sequence

import psycopg
from jincai.monitoring import examples, language
from jincai.monitoring.rule import Rule, Value
from jincai.monitoring.vocabulary import Vocabulary
from jincai_payment.monitored import PAYMENTS

THRESHOLDS = {
    "cap": {"value": 50_000, "title": "上限"},
    "least": {"value": 2, "unit": "integer", "title": "笔数"},
}
LISTS = {"words": ["礼品", "烟酒", "100%"], "codes": ["30201", "30217"]}


def rule(when: str, stage: str = "during", exempt: Sequence[str] = (), **more: object) -> Rule:
    """A rule with this expression."""
    given = {
        "id": "R99",
        "title": "试",
        "title_en": "Trial",
        "stage": stage,
        "level": "yellow",
        "disposal": "hold" if stage == "before" else "warn",
        "reason": "a test's",
        "legal_basis": "none",
        "thresholds": THRESHOLDS,
        "lists": LISTS,
        "when": when,
        "exempt": [{"when": one, "reason": "a test's"} for one in exempt],
        "examples": {"fires": [{"note": "one"}], "passes": [{"note": "other"}]},
    }
    return Rule.model_validate({**given, **more})


def fires(
    cx: psycopg.Connection,
    when: str | Rule,
    record: Mapping[str, Value] | None = None,
    earlier: Sequence[Mapping[str, Value]] = (),
    lookups: Mapping[str, Value] | None = None,
    *,
    vocabulary: Vocabulary = PAYMENTS,
) -> bool:
    """Whether a rule fires for a record, asked of PostgreSQL."""
    one = {"note": "it", "record": record or {}, "earlier": earlier, "lookups": lookups or {}}
    made = when if isinstance(when, Rule) else rule(when)
    asked = rule(
        **{
            **made.model_dump(exclude={"exempt"}),
            "exempt": [exemption.when for exemption in made.exempt],
            "examples": {"fires": [one], "passes": [one]},
        }
    )
    failed = {failure.expected for failure in examples.failures_now(cx, asked, vocabulary)}
    # It either fires or passes: never neither, never both.
    assert len(failed) == 1
    return failed == {"passes"}


def refusal(when: str, stage: str = "during", exempt: Sequence[str] = (), **more: object) -> str:
    """What a rule with this expression is refused for."""
    try:
        found = language.compiled(rule(when, stage, exempt, **more), PAYMENTS)
    except language.RuleError as error:
        return "; ".join(error.problems)
    raise AssertionError(f"not refused: {found.predicate}")
