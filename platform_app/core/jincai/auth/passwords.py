"""Passwords: kept as argon2id, tried off the event loop by a bounded number of workers."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from jincai.errors import ConfigurationError

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 200
T = TypeVar("T")

# Each worker needs the memory of one hash, 64 MiB, and about a tenth of a second of one core.
WORKERS = 2
WAITING_MOST = 30

# Without 0 O 1 l I.
_PLAIN = "23456789abcdefghijkmnpqrstuvwxyz"
_HASHER = PasswordHasher(time_cost=2, memory_cost=64 * 1024, parallelism=1, type=Type.ID)


class TooManyTriesError(Exception):
    """More people try to log in at once than the workers can serve in reasonable time."""


class Passwords:
    """Tries passwords for one process: `WORKERS` at a time, `WAITING_MOST` more may wait."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="password")
        self._under_way = 0

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether ``password`` is what ``kept`` was made from; takes as long when nothing was kept.

        Raises:
            TooManyTriesError: too many wait already.
        """
        return await self._run(_fits, password, kept)

    async def hashed(self, password: str) -> str:
        """What is kept of a new password, as by `hashed`.

        Raises:
            ConfigurationError: it is too short or too long.
            TooManyTriesError: too many wait already.
        """
        return await self._run(hashed, password)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        if self._under_way >= WORKERS + WAITING_MOST:
            raise TooManyTriesError
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, work, *arguments)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Let the workers end."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def hashed(password: str) -> str:
    """What is kept of a new password.

    Raises:
        ConfigurationError: it is too short or too long.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise ConfigurationError(
            f"the password has {len(password)} characters",
            f"Choose one of {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.",
        )
    return _HASHER.hash(password)


def for_one_login() -> str:
    """A password to be told once and used once: 16 characters that nobody mistakes for each other."""
    return "-".join("".join(secrets.choice(_PLAIN) for _ in range(4)) for _ in range(4))


def _fits(password: str, kept: str | None) -> bool:
    try:
        return _HASHER.verify(kept or _nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """A hash that no password fits, to spend the usual time on."""
    return _HASHER.hash(secrets.token_urlsafe())
