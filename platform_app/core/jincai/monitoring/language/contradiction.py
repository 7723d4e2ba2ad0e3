"""Rules that can never be true."""

from jincai.monitoring.language.tree import Node
from jincai.monitoring.rule import Rule


def problems(rule: Rule, when: Node, exempt: list[Node]) -> list[str]:  # noqa: ARG001
    """Which terms contradict each other, if the rule can never be true."""
    return []
