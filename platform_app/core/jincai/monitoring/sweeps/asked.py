"""What is asked of sweeps and back-tests, by form and by program alike, and who may."""

import datetime as dt
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from jincai import language
from jincai.auth.principal import Principal, PrincipalOf, may, require
from jincai.monitoring.sweeps.backtest import BackTestAsked
from jincai.monitoring.sweeps.sweep import SweepAsked

Reader = Annotated[Principal, Depends(may("monitor.read"))]


async def _handler(request: Request, principal: PrincipalOf) -> Principal:
    require(request, principal, "monitor.handle")
    return _whole(request, principal)


async def _tester(request: Request, principal: PrincipalOf) -> Principal:
    if "monitor.rule_publish" not in principal.permissions:
        require(request, principal, "monitor.rule_draft")
    return _whole(request, principal)


def _whole(request: Request, principal: Principal) -> Principal:
    """Whoever sees only some units cannot ask for what judges all of them."""
    if principal.agencies is not None:
        zh = language.of(request) == "zh"
        raise HTTPException(
            403,
            "回扫和回测按整个区划进行,您的账户只限部分单位。"
            if zh
            else "This goes through whole divisions; your account is for some units only.",
        )
    return principal


# Whoever may start a sweep; whoever works on rules.
Handler = Annotated[Principal, Depends(_handler)]
Tester = Annotated[Principal, Depends(_tester)]

RuleId = Annotated[str, Field(pattern=r"^R[1-9][0-9]{0,3}$")]
RulePath = Annotated[str, Path(pattern=r"^R[1-9][0-9]{0,3}$")]
NumberPath = Annotated[int, Path(ge=1, lt=2**63)]


def _several(given: Any) -> Any:  # pydantic hands over whatever it was given
    """Words of one field: `450100, 450200`."""
    if isinstance(given, str):
        return tuple(given.replace("\uff0c", ",").replace(",", " ").replace("、", " ").split())
    return given


_Codes = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")], ...],
    BeforeValidator(_several),
    Field(max_length=200),
]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    from_day: dt.date
    to_day: dt.date
    divisions: _Codes = ()


class SweepForm(_Form):
    """A sweep to begin; divisions and rules are written side by side."""

    rules: Annotated[tuple[RuleId, ...], BeforeValidator(_several), Field(max_length=200)] = ()

    def asked(self) -> SweepAsked:
        """The same for programs."""
        return SweepAsked(**self.model_dump())


class BackTestForm(_Form):
    """A back-test to begin."""

    version: Annotated[int, Field(ge=1, lt=2**31)] | None = None

    def asked(self) -> BackTestAsked:
        """The same for programs."""
        return BackTestAsked(**self.model_dump())
