"""Errors that a person reads, and the exit codes that a program reads.

The codes mean what they mean for `rollout`: 2 usage or configuration; 3 unreachable; 4 failed, can be
run again.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What the process returns to its caller."""

    OK = 0
    USAGE = 2
    UNREACHABLE = 3
    FAILED = 4


class JincaiError(Exception):
    """A failure with the way out of it.

    ``message`` names the thing that is wrong (file, variable, system); ``hint`` says what to do.
    """

    exit_code: Exit = Exit.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigurationError(JincaiError):
    """An option or an environment variable is wrong; nothing was started."""


class PluginError(JincaiError):
    """The installed access systems do not fit the platform or each other; nothing was started."""


class MigrationError(JincaiError):
    """A migration cannot be applied; what was applied before it stays applied."""

    exit_code = Exit.FAILED


class DataFileError(JincaiError):
    """A data file is wrong; names file, line and field. Nothing of it was loaded."""

    exit_code = Exit.FAILED


class EmbeddedError(JincaiError):
    """The PostgreSQL server of `jincai serve` cannot be found, started or stopped."""

    exit_code = Exit.FAILED


class UnusableRulesError(JincaiError):
    """A rule in force cannot be compiled by this version of the platform; nothing is judged without it."""

    exit_code = Exit.FAILED


class DatabaseUnavailableError(JincaiError):
    """No primary that accepts writes answered within the time allowed."""

    exit_code = Exit.UNREACHABLE
