"""Rules that can never be true, as far as a look at their terms tells; what it misses, the examples find."""

from collections.abc import Sequence
from itertools import combinations

from jincai.monitoring.language.domains import Constraint, Domain, constraints, natural
from jincai.monitoring.language.tree import Constant, Every, Node, Not, Some, Window, parts
from jincai.monitoring.language.wording import said
from jincai.monitoring.rule import Rule

# A term, and whether NOT stands before it.
Term = tuple[Node, bool]
BRANCHES_MOST = 200
_NEVER = "can never be true"


def problems(rule: Rule, when: Node, exempt: Sequence[Node]) -> list[str]:
    """Which terms contradict each other: in an expression, a window's condition, the rule as a whole."""
    found = []
    named = [("when", when), *((f"exempt {number}", one) for number, one in enumerate(exempt, 1))]
    for where, node in named:
        if terms := _Search(rule).conflict([(node, False)]):
            found.append(f"{where}: {_NEVER}: {_told(terms)}")
        for window in parts(node):
            if isinstance(window, Window) and window.condition is not None:
                terms = _Search(rule).conflict([(window.condition, False)])
                if terms:
                    found.append(f"{where}: the condition of {window.measure} {_NEVER}: {_told(terms)}")
    if not found and exempt:
        terms = _Search(rule).conflict([(when, False), *((one, True) for one in exempt)])
        if terms:
            found.append(f"exempt: nothing is left of the rule: {_told(terms)}")
    return found


def _told(terms: Sequence[Term]) -> str:
    texts = [f"`{said(Not(node) if negated else node)}`" for node, negated in terms]
    return " and ".join(texts) + (" contradict each other" if len(texts) > 1 else "")


class _Search:
    """Looks for terms that contradict each other; gives up quietly when there are too many ways to go."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._branches = 0

    def conflict(self, given: Sequence[Term]) -> Sequence[Term]:
        """Terms that cannot all be true; empty if none were found."""
        together, choices = _taken_apart(given)
        if found := self._of_terms(together):
            return found
        for node, branches in choices:
            self._branches += len(branches)
            if self._branches > BRANCHES_MOST:
                return ()
            if all(self.conflict([*together, one]) for one in branches):
                return (node, *together[:1]) if self._needs(branches, together) else (node,)
        return ()

    def _needs(self, branches: Sequence[Term], together: Sequence[Term]) -> bool:
        return bool(together) and not all(self._of_terms(_taken_apart([one])[0]) for one in branches)

    def _of_terms(self, terms: Sequence[Term]) -> Sequence[Term]:
        said_of: dict[object, list[tuple[Term, Domain]]] = {}
        seen: dict[Node, Term] = {}
        for term in terms:
            node, negated = term
            if isinstance(node, Constant) and node.value is negated:
                return (term,)
            if (before := seen.setdefault(node, term))[1] != negated:
                return (before, term)
            found: list[Constraint] = constraints(node, self._rule, negated=negated)
            for subject, domain in found:
                said_of.setdefault(subject, []).append((term, domain))
        for subject, told in said_of.items():
            if conflict := _of_subject(natural(subject), told):
                return conflict
        return ()


def _of_subject(known: Domain, told: list[tuple[Term, Domain]]) -> Sequence[Term]:
    for term, domain in told:
        if (known & domain).empty():
            return (term,)
    for (first, one), (second, other) in combinations(told, 2):
        if (known & one & other).empty():
            return (first,) if first == second else (first, second)
    whole = known
    for _, domain in told:
        whole &= domain
    return list(dict.fromkeys(term for term, _ in told)) if whole.empty() else ()


def _taken_apart(given: Sequence[Term]) -> tuple[list[Term], list[tuple[Term, list[Term]]]]:
    """What must all be true, and of what one at least must."""
    together: list[Term] = []
    choices: list[tuple[Term, list[Term]]] = []
    waiting = list(reversed(given))
    while waiting:
        node, negated = waiting.pop()
        if isinstance(node, Not):
            waiting.append((node.term, not negated))
        elif isinstance(node, (Every, Some)):
            inner = [(one, negated) for one in node.terms]
            if isinstance(node, Every) is not negated:
                waiting += reversed(inner)
            else:
                choices.append(((node, negated), inner))
        else:
            together.append((node, negated))
    return together, choices
