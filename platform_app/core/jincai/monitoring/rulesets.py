"""The rules in force, compiled once for each edition of them that a process meets."""

from collections import OrderedDict
from dataclasses import dataclass

from psycopg import AsyncConnection

from jincai.errors import UnusableRulesError
from jincai.monitoring import rule_file
from jincai.monitoring.language import RuleError, compiled
from jincai.monitoring.rule import Rule
from jincai.monitoring.vocabulary import Subject, Vocabulary

# Editions kept compiled: the newest, and those that transactions under way still judge by.
KEPT_MOST = 8

_NEWEST = "SELECT number, digest FROM monitor.edition ORDER BY number DESC LIMIT 1"
_RULES = """
SELECT r.rule, r.version, r.shadow, v.source
  FROM monitor.edition_rule AS r
  JOIN monitor.rule_version AS v USING (rule, version)
 WHERE r.edition = %s
 ORDER BY length(r.rule), r.rule, r.shadow
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule's version as it judges.

    Attributes:
        shadow: whether it runs beside the live version only, alerting nobody.
        predicate: SQL over the judged record ``p``; true when the rule fires, never NULL.
        built_in: the field that the system itself answers, if the rule is that field alone.
    """

    rule: Rule
    version: int
    shadow: bool
    predicate: str
    built_in: str | None


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The rules about one kind of record in force together; ``edition`` 0: none was ever published.

    The same edition is the same object, so that what was made of it can be kept beside it.
    """

    edition: int
    rules: tuple[Judged, ...]


_NONE = RuleSet(0, ())
_Key = tuple[int, bytes, Subject]
_kept: "OrderedDict[_Key, RuleSet]" = OrderedDict()


async def in_force(cx: AsyncConnection, vocabulary: Vocabulary) -> RuleSet:
    """The newest edition's rules about ``vocabulary``'s records, as ``cx``'s transaction sees it.

    Raises:
        UnusableRulesError: a stored rule cannot be compiled by this version of the platform.
    """
    newest = await (await cx.execute(_NEWEST)).fetchone()
    if newest is None:
        return _NONE
    number, digest = newest
    # By its contents, too: two databases of one process number alike.
    key = (number, bytes(digest), vocabulary.subject)
    found = _kept.get(key)
    if found is None:
        found = RuleSet(number, await _compiled(cx, number, vocabulary))
        _kept[key] = found
        while len(_kept) > KEPT_MOST:
            _kept.popitem(last=False)
    return found


async def _compiled(cx: AsyncConnection, edition: int, vocabulary: Vocabulary) -> tuple[Judged, ...]:
    rows = await (await cx.execute(_RULES, (edition,))).fetchall()
    judged: list[Judged] = []
    for name, version, shadow, source in rows:
        one = f"{name} version {version}"
        try:
            rule = rule_file.load(source, one)
            if rule.subject == vocabulary.subject:
                made = compiled(rule, vocabulary)
                judged.append(Judged(rule, version, shadow, made.predicate, made.built_in))
        except (rule_file.RuleFileError, RuleError) as error:
            raise UnusableRulesError(
                f"{one}, in force by edition {edition}, cannot be compiled: {error}",
                "Put another version of it in force, or withdraw it, in the workshop.",
            ) from error
    return tuple(judged)
