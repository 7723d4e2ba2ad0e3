"""Windows: what a rule may ask about the earlier records of the judged record's unit."""

from typing import TYPE_CHECKING, cast

from sqlglot import exp

from jincai.monitoring.language.calls import arguments_of, name_of
from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.names import KEYS, SPANS
from jincai.monitoring.language.tree import FieldOf, Measure, Span, SpanKind, Type, Window

if TYPE_CHECKING:
    from jincai.monitoring.language.check import Checker

DAYS_MOST = 400
KEYS_MOST = 8
_MEASURED: dict[str, tuple[Type, ...]] = {
    "past_sum": ("fen", "integer"),
    "past_max": ("fen", "integer"),
    "past_distinct": ("text", "fen", "integer", "date"),
}


def understood(inside: "Checker", tree: exp.Expression, depth: int) -> Window:
    """A window; ``inside`` understands its condition.

    Raises:
        Refused: an argument is not what stands there.
    """
    measure, rest = name_of(tree), arguments_of(tree)
    field = None
    if measure in _MEASURED:
        if not rest or not isinstance(rest[0], exp.Column) or rest[0].args.get("table"):
            raise Refused(f"{measure} begins with a field: {measure}(amount, days(7), …)")
        field = _measured(inside, measure, name_of(rest.pop(0)))
    if not rest or not _is_call(rest[0], SPANS):
        raise Refused(f"{measure} needs a span: days(n), this_day(), this_month() or this_year()")
    span = _span(rest.pop(0), inside)
    keys: tuple[str, ...] = ()
    across = False
    if rest and _is_call(rest[0], KEYS):
        across = name_of(rest[0]) == "across"
        keys = _keys(inside, rest.pop(0))
    condition = inside.condition(rest.pop(0), f"the condition of {measure}", depth) if rest else None
    if rest:
        raise Refused(
            f"{measure} has too many arguments: join conditions by AND, and same(…) comes before them"
        )
    answer: Type = field.type if field and measure != "past_distinct" else "integer"
    return Window(cast("Measure", measure), field, span, keys, across, condition, answer)


def _is_call(tree: exp.Expression, names: tuple[str, ...]) -> bool:
    return isinstance(tree, exp.Anonymous) and name_of(tree) in names


def _measured(inside: "Checker", measure: str, name: str) -> FieldOf:
    field = inside.names.field(name, measure)
    if field.type not in _MEASURED[measure]:
        raise Refused(f"{measure} measures {' or '.join(_MEASURED[measure])}, but {name} is {field.type}")
    return field


def _span(tree: exp.Expression, inside: "Checker") -> Span:
    kind, arguments = name_of(tree), arguments_of(tree)
    if kind == "this_year" and "fiscal_year" not in inside.names.vocabulary.fields:
        raise Refused("this_year() needs a field fiscal_year")
    if kind != "days":
        if arguments:
            raise Refused(f"{kind}() takes no argument")
        return Span(cast("SpanKind", kind))
    value = _days(arguments[0], inside) if len(arguments) == 1 else ""
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and 1 <= int(value) <= DAYS_MOST):
        raise Refused(
            f"days(n) takes a number from 1 to {DAYS_MOST}, or an integer threshold that is one everywhere"
        )
    return Span("days", int(value))


def _days(tree: exp.Expression, inside: "Checker") -> str:
    """The number of days as written, or that of a threshold; "" for anything else."""
    if isinstance(tree, exp.Literal):
        return str(tree.this)
    threshold = inside.names.rule.thresholds.get(name_of(tree)) if isinstance(tree, exp.Column) else None
    # One number for all: a window of several lengths would not find its index.
    usable = threshold is not None and threshold.unit == "integer" and not threshold.overrides
    return str(threshold.value) if threshold and usable else ""


def _keys(inside: "Checker", tree: exp.Expression) -> tuple[str, ...]:
    kind, given = name_of(tree), arguments_of(tree)
    if not 1 <= len(given) <= KEYS_MOST or not all(
        isinstance(one, exp.Column) and not one.args.get("table") for one in given
    ):
        raise Refused(f"{kind}(…) takes 1 to {KEYS_MOST} fields")
    names = tuple(name_of(one) for one in given)
    if len(set(names)) < len(names):
        raise Refused(f"{kind}({', '.join(names)}) names a field twice")
    return tuple(inside.names.field(name, f"{kind}(…)").name for name in names)
