"""What the depot needs of a connection to a host; tests give it one that runs on this machine."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import IO, Protocol


class Channel(Protocol):
    """A program that runs on the host, with both its streams.

    Leaving its ``with`` block waits for it and raises what went wrong there (ApplyError,
    UnreachableError), which then replaces a broken pipe seen here.
    """

    @property
    def stdin(self) -> IO[bytes]:
        """What the program reads."""

    @property
    def stdout(self) -> IO[bytes]:
        """What the program writes."""


class Remote(Protocol):
    """A host that can be asked."""

    @property
    def name(self) -> str:
        """The host, as its user knows it."""

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002 - as subprocess names it
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        """Runs ``argv``; its standard output."""

    def stream(self, argv: Sequence[str], sudo: bool = False) -> AbstractContextManager[Channel]:
        """Starts ``argv`` with its streams connected."""
