"""SQL of windows: a sub-select over the earlier records, ``h``, of the unit of the judged one, ``p``.

Plain equalities and ranges come first, so that the indexes on unit, payee and date serve; what the vocabulary
asks of every earlier record comes last.
"""

import re

from jincai.monitoring.language.tree import Span, Whose, Window
from jincai.monitoring.vocabulary import Vocabulary

_JUDGED = re.compile(r"(?<![\w.\"'])p\.(?=[a-z_\"])")
_AGGREGATES = {
    "past_count": "count(*)",
    "past_sum": "coalesce(sum({}), 0)",
    "past_max": "coalesce(max({}), 0)",
    "past_distinct": "count(DISTINCT {})",
}


def field(vocabulary: Vocabulary, name: str, whose: Whose) -> str:
    """A field's expression, over ``p`` or over ``h``."""
    over_p = vocabulary.fields[name].sql
    return over_p if whose == "judged" else _JUDGED.sub("h.", over_p)


def window(node: Window, vocabulary: Vocabulary, relation: str, condition: str | None) -> str:
    """The sub-select for ``node``, whose condition is ``condition``."""
    measured = field(vocabulary, node.field.name, "earlier") if node.field else ""
    terms = [
        *_of_unit(node, vocabulary),
        *(f"{field(vocabulary, key, 'earlier')} = {field(vocabulary, key, 'judged')}" for key in node.keys),
        *_in_span(node.span, vocabulary),
        *_earlier(node, vocabulary),
        *([condition] if condition else []),
        f"({vocabulary.history})",
    ]
    aggregate = _AGGREGATES[node.measure].format(measured)
    return f"(SELECT {aggregate} FROM {relation} AS h WHERE {' AND '.join(terms)})"  # noqa: S608 - every part is ours


def _of_unit(node: Window, vocabulary: Vocabulary) -> list[str]:
    return [] if node.across else [f"h.{column} = p.{column}" for column in vocabulary.unit]


def _earlier(node: Window, vocabulary: Vocabulary) -> list[str]:
    # Not in the shape of an index's column: while a table is small, an index through all of a unit's records
    # looks as good as one that leads to a payee's few, and the plan stays when it has grown.
    order = f"h.{vocabulary.order} + 0 < p.{vocabulary.order}"
    if not node.across:
        return [order]
    # Other units number their records by themselves: all theirs in the span count, of its own the earlier.
    other = " OR ".join(f"h.{column} <> p.{column}" for column in vocabulary.unit)
    return [f"({other} OR {order})"]


def _in_span(span: Span, vocabulary: Vocabulary) -> list[str]:
    of_h, of_p = f"h.{vocabulary.date}", f"p.{vocabulary.date}"
    match span.kind:
        case "days":
            return [f"{of_h} > {of_p} - {span.days}", f"{of_h} < {of_p} + {span.days}"]
        case "this_day":
            return [f"{of_h} = {of_p}"]
        case "this_month":
            first = f"date_trunc('month', {of_p}::timestamp)"
            return [f"{of_h} >= {first}::date", f"{of_h} < ({first} + interval '1 month')::date"]
        case _:
            year = "fiscal_year"
            return [f"{field(vocabulary, year, 'earlier')} = {field(vocabulary, year, 'judged')}"]
