"""The statements that judge records by rules: which orders are stopped, which payments cause alerts."""

from collections.abc import Iterable, Sequence

from psycopg import sql

from jincai.monitoring.rulesets import Judged, RuleSet
from jincai.monitoring.vocabulary import Vocabulary


def stopping(ruleset: RuleSet) -> tuple[Judged, ...]:
    """The live rules that hold or forbid an order before it is paid; not what the system answers."""
    return tuple(
        one for one in ruleset.rules if one.rule.stage == "before" and not one.shadow and one.built_in is None
    )


def alerting(ruleset: RuleSet) -> tuple[Judged, ...]:
    """The rules that are asked of a record in the transaction that writes it.

    A shadow of a rule before payment is among them: it may not stop an order, but it says what it would have.
    """
    return tuple(
        one
        for one in ruleset.rules
        if one.rule.stage == "during"
        or (one.rule.stage == "before" and (one.shadow or one.built_in is not None))
    )


def which_stop(rules: Sequence[Judged], candidates: str) -> str:
    """Rows ``(n, place)``: the candidate ``p.n`` is stopped by ``rules[place]``.

    Args:
        rules: from `stopping`.
        candidates: a relation, or a SELECT in parentheses, with the vocabulary's columns and ``n``.
    """
    fired = " UNION ALL ".join(
        f"SELECT {place} AS place WHERE {one.predicate}" for place, one in enumerate(rules)
    )
    asked = f"FROM {candidates} AS p CROSS JOIN LATERAL ({fired}) AS r"
    return _escaped(f"SELECT p.n, r.place {asked} ORDER BY 1, 2")


def write_alerts(rules: Iterable[Judged], vocabulary: Vocabulary, found_by: str) -> str:
    """Writes an alert for each record and rule that fires; which records, is to follow: ``… AND p.id = %s``.

    The first placeholder is the edition's number.
    """
    fired = " UNION ALL ".join(
        f"SELECT {_said(one)} WHERE {one.predicate if one.built_in is None else _built_in(one, vocabulary)}"
        for one in rules
    )
    subject, found = _text(vocabulary.subject), _text(found_by)
    judged = _escaped(f"FROM {vocabulary.relation} AS p CROSS JOIN LATERAL ({fired}) AS r")
    # Predicates are compiled, texts quoted.
    return (
        "INSERT INTO monitor.alert (fiscal_year, division, agency_code, subject, subject_id, as_of, amount,"
        " edition, rule, version, stage, level, disposal, shadow, found_by)"
        f" SELECT p.fiscal_year, p.division, p.agency_code, {subject}, p.id, p.{vocabulary.date}, p.amount,"
        f" %s::integer, r.*, {found} {judged} WHERE true"
    )


def _built_in(one: Judged, vocabulary: Vocabulary) -> str:
    # Of a record that is there already the answer is kept in it.
    return vocabulary.fields[one.built_in or ""].sql


def _said(one: Judged) -> str:
    rule = one.rule
    texts = ", ".join(f"{_text(said)}::text" for said in (rule.stage, rule.level, rule.disposal))
    return f"{_text(rule.id)}::text, {one.version}, {texts}, {str(one.shadow).lower()}"


def _text(said: str) -> str:
    return sql.Literal(said).as_string(None)


def _escaped(statement: str) -> str:
    """With each per cent sign doubled, as psycopg wants it where parameters are given."""
    return statement.replace("%", "%%")
