"""What people ask of cases, by form and by program alike, and who may."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from jincai.auth.principal import Principal, PrincipalOf, may, require
from jincai.paging import DivisionCode

Reader = Annotated[Principal, Depends(may("monitor.read"))]
Handler = Annotated[Principal, Depends(may("monitor.handle"))]
Unit = Annotated[Principal, Depends(may("monitor.reply"))]


def _anybody(request: Request, principal: PrincipalOf) -> Principal:
    if principal.permissions.isdisjoint({"monitor.read", "monitor.handle"}):
        require(request, principal, "monitor.reply")
    return principal


# Of the office or of the unit: the database shows each what is for it.
Anybody = Annotated[Principal, Depends(_anybody)]

Id = Annotated[int, Field(gt=0, lt=2**63)]
IdPath = Annotated[int, Path(gt=0, lt=2**63)]
# Several lines, but something must stand in them.
Text = Annotated[
    str,
    Field(
        max_length=2000,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    ),
]
Days = Annotated[int, Field(ge=1, le=90)]
Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]


class Move(BaseModel):
    """What every move names: the revision of the case that its maker saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: Annotated[int, Field(ge=1, lt=2**31)]


class Note(Move):
    """备注, for the office alone."""

    move: Literal["note"]
    text: Text


class Inquire(Move):
    """问询: the unit is asked, and has so many days; the site's for its level, unless said otherwise."""

    move: Literal["inquire"]
    text: Text
    days: Days | None = None


class Conclude(Move):
    """认定."""

    move: Literal["conclude"]
    conclusion: Literal["normal", "violation"]
    text: Text


class Order(Move):
    """下达整改: the unit is to rectify, and has so many days; the site's, unless said otherwise."""

    move: Literal["order"]
    text: Text
    days: Days | None = None


class Reopen(Move):
    """重新核查: the conclusion is taken back, as long as the case is not closed."""

    move: Literal["reopen"]
    text: Text


class Close(Move):
    """结案."""

    move: Literal["close"]
    text: Text


class Escalate(Move):
    """上报 to the next level."""

    move: Literal["escalate"]
    text: Text


class HandOver(Move):
    """移交 to another person."""

    move: Literal["hand_over"]
    to: Login
    text: Text


class TakeOver(Move):
    """接手 a case that is nobody's."""

    move: Literal["take_over"]


class HandDown(Move):
    """下交 to a division below the case's."""

    move: Literal["hand_down"]
    division: DivisionCode
    text: Text


class Snooze(Move):
    """暂缓 for so many days."""

    move: Literal["snooze"]
    days: Days
    text: Text


class Wake(Move):
    """恢复办理."""

    move: Literal["wake"]


class Reply(Move):
    """单位答复."""

    move: Literal["reply"]
    text: Text


class Report(Move):
    """单位报告整改."""

    move: Literal["report"]
    text: Text


OfficeMove = Annotated[
    Note
    | Inquire
    | Conclude
    | Order
    | Reopen
    | Close
    | Escalate
    | HandOver
    | TakeOver
    | HandDown
    | Snooze
    | Wake,
    Field(discriminator="move"),
]
UnitMove = Annotated[Reply | Report, Field(discriminator="move")]
