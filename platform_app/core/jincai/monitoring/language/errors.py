"""What is wrong with a rule's meaning, each problem with the expression that it is in."""

from jincai.errors import Exit, JincaiError


class RuleError(JincaiError):
    """A rule says something that the language does not know, or that can never be true.

    ``problems`` has one sentence for each, beginning with where: ``when: …`` or ``exempt 2: …``.
    """

    exit_code = Exit.FAILED

    def __init__(self, rule: str, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"{rule}: {problem}" for problem in problems))
        self.rule = rule
        self.problems = problems


class Refused(Exception):  # noqa: N818 - what is refused is an expression; the error that people get is RuleError
    """One expression is refused, with the sentence that says why."""
