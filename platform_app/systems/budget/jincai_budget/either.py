"""Routes that two kinds of people share, each at another stage."""

from collections.abc import Callable

from fastapi import Request
from jincai.auth.principal import Principal, PrincipalOf, require


def may_either(one: str, other: str) -> Callable[[Request, Principal], Principal]:
    """A dependency: the principal, if it has one of the two permissions; otherwise 403, naming the first."""

    def allowed(request: Request, principal: PrincipalOf) -> Principal:
        if other not in principal.permissions:
            require(request, principal, one)
        return principal

    return allowed
