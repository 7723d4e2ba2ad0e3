"""What an expression may speak of: fields, thresholds, lists, registers; and what an unknown name meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from jincai.monitoring.language import parse
from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.tree import Constant, FieldOf, Node, ThresholdOf, Whose, Words
from jincai.monitoring.rule import Rule
from jincai.monitoring.vocabulary import Vocabulary

WINDOWS = ("past_count", "past_sum", "past_max", "past_distinct")
SPANS = ("days", "this_day", "this_month", "this_year")
KEYS = ("same", "across")
OF_LANGUAGE = frozenset({*FUNCTIONS, *WINDOWS, *SPANS, *KEYS, "this"})


def unknown(what: str, name: str, there_are: Iterable[str]) -> Refused:
    """The refusal of a name, with the one that was meant if it looks like it, and those there are."""
    known = sorted(there_are)
    near = difflib.get_close_matches(name.lower(), known, 1)
    meant = f", perhaps {near[0]} is meant" if near else ""
    return Refused(f"there is no {what} {name}{meant}; there are: {', '.join(known) or 'none'}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one rule, over one vocabulary."""

    rule: Rule
    vocabulary: Vocabulary

    def problems(self) -> list[str]:
        """Names of thresholds and lists that mean something else already."""
        own = [("thresholds", name) for name in self.rule.thresholds] + [
            ("lists", name) for name in self.rule.lists
        ]
        taken = OF_LANGUAGE | set(self.vocabulary.fields) | set(self.vocabulary.lookups)
        return [
            f"{where}: {name} already means something else: choose another name"
            for where, name in own
            if name in taken or not parse.is_name(name)
        ]

    def value(self, name: str, whose: Whose) -> Node:
        """What a bare name stands for."""
        if found := self.vocabulary.fields.get(name):
            if found.built_in:
                raise Refused(f"{name} is decided by the system itself: it must be the whole expression")
            if whose == "earlier" and not found.of_history:
                raise Refused(f"{name} is not known of earlier records: use this.{name}")
            return FieldOf(name, whose, found.type)
        if threshold := self.rule.thresholds.get(name):
            return ThresholdOf(name, threshold.unit)
        if name in self.rule.lists:
            raise Refused(f"{name} is a list: write one_of(…, {name})")
        if name in OF_LANGUAGE or name in self.vocabulary.lookups:
            raise Refused(f"{name} is asked with parentheses: {name}(…)")
        fields = (one for one, field in self.vocabulary.fields.items() if not field.built_in)
        raise unknown("name", name, (*fields, *self.rule.thresholds, *self.rule.lists))

    def field(self, name: str, why: str) -> FieldOf:
        """A field that windows may ask of earlier records."""
        found = self.vocabulary.fields.get(name)
        known = [one for one, field in self.vocabulary.fields.items() if field.of_history]
        if not found:
            raise unknown("field", name, known)
        if name not in known:
            raise Refused(f"{name} is not known of earlier records: it cannot stand in {why}")
        return FieldOf(name, "earlier", found.type)

    def words(self, name: str) -> Words:
        """A list of the rule."""
        if name not in self.rule.lists:
            raise unknown("list", name, self.rule.lists)
        return Words(name, self.rule.lists[name])


def constant(value: str | int | bool) -> Constant:
    """A value as written."""
    if isinstance(value, bool):
        return Constant(value, "boolean")
    return Constant(value, "number" if isinstance(value, int) else "text")
