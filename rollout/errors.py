"""Errors that a person reads, and the exit codes that a program reads.

Exit codes are fixed interfaces (docs/cli.md): 0 uniform, done, nothing to do; 1 findings or changes
planned; 2 usage or configuration; 3 unreachable or incomplete (beats 1); 4 apply failed, resumable.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What the process returns to its caller."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREACHABLE = 3
    FAILED = 4


class RolloutError(Exception):
    """A failure with the way out of it.

    ``message`` names the thing that is wrong (file, key, host, component); ``hint`` says what to do.
    """

    exit_code: Exit = Exit.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigurationError(RolloutError):
    """Something a person wrote (inventory, release, option) is wrong; nothing was connected to."""


class VerificationError(RolloutError):
    """A release, signature or checksum does not hold; nothing was installed."""


class UnreachableError(RolloutError):
    """A host does not answer, so nothing can be said or done about it."""

    exit_code = Exit.UNREACHABLE


class HeldError(RolloutError):
    """Somebody else holds the site's lease."""

    exit_code = Exit.FAILED


class ApplyError(RolloutError):
    """A step of an apply failed; the next apply goes on from reality."""

    exit_code = Exit.FAILED
