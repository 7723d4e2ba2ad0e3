"""What each move does to a case: its next state, the columns it sets, and what its event says."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from jincai.auth.principal import Principal
from jincai.identity import SHANGHAI
from jincai.monitoring.cases import asked as ask
from jincai.monitoring.cases import deadlines
from jincai.monitoring.cases.case import CaseFile
from jincai.monitoring.cases.states import State


@dataclass
class Change:
    """What a move does: the next state (None: the same), columns it sets, and what its event says."""

    action: str
    state: State | None = None
    sets: dict[str, object] = field(default_factory=dict)
    detail: dict[str, object] = field(default_factory=dict)
    visible: bool = False


@dataclass(frozen=True)
class Made:
    """By whom a move is made, on which case, and how many days its steps have."""

    one: CaseFile
    principal: Principal
    days: Mapping[deadlines.Step, int]


@singledispatch
def change_of(asked: ask.Move, _made: Made) -> Change:
    """What the move does."""
    raise TypeError(type(asked).__name__)


def _on(kind: type[Any]) -> Callable[[Callable[[Any, Made], Change]], Callable[[Any, Made], Change]]:
    return change_of.register(kind)


@_on(ask.Note)
def _note(_: ask.Note, __: Made) -> Change:
    return Change("noted")


@_on(ask.Inquire)
def _inquire(asked: ask.Inquire, made: Made) -> Change:
    due = deadlines.due(asked.days or made.days["inquiry"])
    first = made.one.asked_at or dt.datetime.now(SHANGHAI)
    return _to_unit("inquired", "inquired", due, {"asked_at": first})


@_on(ask.Order)
def _order(asked: ask.Order, made: Made) -> Change:
    return _to_unit("ordered", "rectifying", deadlines.due(asked.days or made.days["rectification"]), {})


def _to_unit(action: str, state: State, due: dt.datetime, sets: dict[str, object]) -> Change:
    return Change(action, state, {"due_at": due, **sets}, {"due_at": due.isoformat()}, visible=True)


@_on(ask.Reply)
def _reply(_: ask.Reply, __: Made) -> Change:
    return Change("replied", "replied", visible=True)


@_on(ask.Report)
def _report(_: ask.Report, __: Made) -> Change:
    return Change("reported", "rectified", visible=True)


@_on(ask.Conclude)
def _conclude(asked: ask.Conclude, made: Made) -> Change:
    sets = {
        "conclusion": asked.conclusion,
        "concluded_by": made.principal.actor,
        "concluded_at": dt.datetime.now(SHANGHAI),
    }
    return Change("concluded", asked.conclusion, sets, {"conclusion": asked.conclusion}, visible=True)


@_on(ask.Reopen)
def _reopen(_: ask.Reopen, made: Made) -> Change:
    sets: dict[str, object] = {"conclusion": "", "concluded_by": None, "concluded_at": None}
    return Change("reopened", "looking", sets, {"was": made.one.conclusion})


@_on(ask.Close)
def _close(_: ask.Close, made: Made) -> Change:
    sets = {"closed_by": made.principal.actor, "closed_at": dt.datetime.now(SHANGHAI)}
    return Change("closed", "closed", sets, visible=True)


@_on(ask.Escalate)
def _escalate(_: ask.Escalate, made: Made) -> Change:
    level = made.one.escalation + 1
    return Change("escalated", None, {"escalation": level}, {"escalation": level})


@_on(ask.HandOver)
def _hand_over(asked: ask.HandOver, made: Made) -> Change:
    return Change("handed_over", None, {"handler": asked.to}, {"from": made.one.handler, "to": asked.to})


@_on(ask.TakeOver)
def _take_over(_: ask.TakeOver, made: Made) -> Change:
    return Change("took_over", None, {"handler": made.principal.actor}, {"to": made.principal.actor})


@_on(ask.HandDown)
def _hand_down(asked: ask.HandDown, made: Made) -> Change:
    sets: dict[str, object] = {
        "division": asked.division,
        "handler": "",
        "handed_down_by": made.principal.actor,
        "snoozed_until": None,
        "due_at": deadlines.due(made.days["first_look"]),
    }
    return Change("handed_down", None, sets, {"from": made.one.division, "to": asked.division})


@_on(ask.Snooze)
def _snooze(asked: ask.Snooze, made: Made) -> Change:
    until = deadlines.due(asked.days)
    later = max(until, made.one.due_at or until)
    sets: dict[str, object] = {"snoozed_until": until, "due_at": later}
    return Change("snoozed", None, sets, {"until": until.isoformat()})


@_on(ask.Wake)
def _wake(_: ask.Wake, __: Made) -> Change:
    return Change("woken", None, {"snoozed_until": None})
