"""A rule, compiled: one SQL truth over the judged record ``p``."""

from dataclasses import dataclass

from jincai.monitoring.language import contradiction, parse, thresholds
from jincai.monitoring.language.check import Checker
from jincai.monitoring.language.emit import Emitter
from jincai.monitoring.language.errors import Refused, RuleError
from jincai.monitoring.language.names import Names
from jincai.monitoring.language.tree import Every, Node, Not, Window, parts
from jincai.monitoring.rule import Rule
from jincai.monitoring.vocabulary import Vocabulary

WINDOWS_MOST = 6


@dataclass(frozen=True, slots=True)
class Compiled:
    """What runs.

    Attributes:
        predicate: SQL over ``p``, a row of the relation; true or false, never NULL, and it never fails.
        windows: whether it reads earlier records.
        built_in: the field that the system decides by itself, if the rule is that field.
    """

    predicate: str
    windows: bool
    built_in: str | None


def compiled(rule: Rule, vocabulary: Vocabulary, *, history: str | None = None) -> Compiled:
    """Compile a rule; windows look into ``history``, the vocabulary's own relation if none is given.

    Raises:
        RuleError: with everything that is wrong, expression by expression.
    """
    names = Names(rule, vocabulary)
    problems = names.problems()
    for name, threshold in rule.thresholds.items():
        problems += thresholds.problems(name, threshold, vocabulary)
    if rule.subject != vocabulary.subject:
        problems.append(f"subject: the rule is about {rule.subject}, these records are {vocabulary.subject}")
    if problems:
        raise RuleError(rule.id, tuple(problems))
    if built_in := _built_in(rule, vocabulary):
        return Compiled(
            f"coalesce({vocabulary.fields[built_in].sql}, false)", windows=False, built_in=built_in
        )
    whole = _understood(rule, names)
    windows = [one for one in parts(whole) if isinstance(one, Window)]
    try:
        predicate = Emitter(rule, vocabulary, history or vocabulary.relation).sure(whole)
    except Refused as refused:
        raise RuleError(rule.id, (f"lists or expressions: {refused}",)) from refused
    return Compiled(predicate, windows=bool(windows), built_in=None)


def _built_in(rule: Rule, vocabulary: Vocabulary) -> str | None:
    name = rule.when.strip()
    found = vocabulary.fields.get(name)
    if not found or not found.built_in:
        return None
    if rule.exempt:
        raise RuleError(
            rule.id, (f"exempt: {name} is decided by the system itself, which knows no exemptions",)
        )
    return name


def _understood(rule: Rule, names: Names) -> Node:
    """The rule as one expression: ``when``, and none of ``exempt``."""
    checker, problems = Checker(names), []
    found: list[Node] = []
    texts = [("when", rule.when)] + [(f"exempt {n}", one.when) for n, one in enumerate(rule.exempt, 1)]
    for where, text in texts:
        try:
            found.append(checker.condition(parse.parsed(text), "a rule's expression"))
        except Refused as refused:
            problems.append(f"{where}: {refused}")
    if not problems:
        problems += _limits(rule, found)
    if not problems:
        problems += contradiction.problems(rule, found[0], found[1:])
    if problems:
        raise RuleError(rule.id, tuple(problems))
    when, *exempt = found
    terms = when.terms if isinstance(when, Every) else (when,)
    return Every((*terms, *(Not(one) for one in exempt))) if exempt else when


def _limits(rule: Rule, found: list[Node]) -> list[str]:
    windows = [one for node in found for one in parts(node) if isinstance(one, Window)]
    problems = []
    if windows and rule.stage == "before":
        problems.append(
            "a rule of the before stage cannot look at earlier records: an order is judged before it has its"
            " place among its unit's payments, and the answer must not depend on what else is in its batch"
        )
    if rule.stage != "after" and any(one.across for one in windows):
        problems.append("across(…) looks at other units' records, which only a rule of the after stage may")
    if len(windows) > WINDOWS_MOST:
        problems.append(f"it looks at earlier records {len(windows)} times; {WINDOWS_MOST} are the most")
    return problems
