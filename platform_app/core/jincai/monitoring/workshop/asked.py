"""What is asked of the workshop, by form and by program alike."""

from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from jincai.auth.principal import Principal, PrincipalOf, may, require
from jincai.monitoring.store.versions import Number, RuleId

Reader = Annotated[Principal, Depends(may("monitor.read"))]


def _tries(request: Request, principal: PrincipalOf) -> Principal:
    """Whoever works on rules: trying one costs the database time."""
    if principal.permissions.isdisjoint({"monitor.rule_draft", "monitor.rule_publish"}):
        require(request, principal, "monitor.rule_draft")
    return principal


Trier = Annotated[Principal, Depends(_tries)]
Drafter = Annotated[Principal, Depends(may("monitor.rule_draft"))]
Publisher = Annotated[Principal, Depends(may("monitor.rule_publish"))]

RulePath = Annotated[RuleId, Path()]
NumberPath = Annotated[Number, Path()]
# A reason of blanks says nothing.
Reason = Annotated[
    str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]
# `drafts.tidy` says more kindly how large a rule may be; this is what anybody reads of it.
Source = Annotated[str, Field(max_length=200_000)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Begin(_Asked):
    """A draft to begin; without ``source`` from the newest version, or for a new rule from a skeleton."""

    source: Source | None = None


class Save(_Asked):
    """The draft's text, and at which revision it was when it was opened."""

    revision: Number
    source: Source


class Discard(_Asked):
    """The draft's revision that is given up."""

    revision: Number


class Publish(_Asked):
    """The draft's version and revision that the publisher has seen; ``shadow``: as a trial run (试运行)."""

    version: Number
    revision: Number
    shadow: bool = False
    reason: Reason


class Why(_Asked):
    """The reason of a change of what is in force."""

    reason: Reason


class Put(Why):
    """A published version to be put in force."""

    version: Number
    shadow: bool = False
