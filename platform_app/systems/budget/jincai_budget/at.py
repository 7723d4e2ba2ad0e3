"""What a page about one thing is asked with: the thing's number, by whom, and what answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request
from jincai.auth.principal import Principal
from jincai.platform import Platform, PlatformOf


@dataclass(frozen=True)
class At:
    """One request about the thing with ``number``, of ``who``."""

    number: int
    request: Request
    platform: Platform
    who: Principal


def at(allowed: Callable[[Request, Principal], Principal]) -> Callable[..., At]:
    """A dependency: the request, if ``allowed`` lets its principal in."""

    def made(
        number: Annotated[int, Path(gt=0, lt=2**63)],
        request: Request,
        platform: PlatformOf,
        who: Annotated[Principal, Depends(allowed)],
    ) -> At:
        return At(number, request, platform, who)

    return made
