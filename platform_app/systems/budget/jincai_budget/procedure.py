"""二上二下 as data: the states of a proposal, who may lead it where, and which stage is being worked on."""

from typing import Literal

State = Literal[
    "draft",
    "first_submitted",
    "first_returned",
    "control_issued",
    "second_submitted",
    "second_returned",
    "approved",
]
Stage = Literal["first", "control", "second", "approved"]
Kind = Literal["submit", "issue", "return", "approve"]

# Step and present state → next state and the permission that it takes.
MOVES: dict[tuple[Kind, State], tuple[State, str]] = {
    ("submit", "draft"): ("first_submitted", "budget.submit"),
    ("submit", "first_returned"): ("first_submitted", "budget.submit"),
    ("issue", "first_submitted"): ("control_issued", "budget.draft"),
    ("return", "first_submitted"): ("first_returned", "budget.draft"),
    ("submit", "control_issued"): ("second_submitted", "budget.submit"),
    ("submit", "second_returned"): ("second_submitted", "budget.submit"),
    ("approve", "second_submitted"): ("approved", "budget.approve"),
    ("return", "second_submitted"): ("second_returned", "budget.approve"),
}

# State → the stage whose lines may change in it, and who may change them.
OPEN: dict[State, tuple[Stage, str]] = {
    "draft": ("first", "budget.submit"),
    "first_returned": ("first", "budget.submit"),
    "first_submitted": ("control", "budget.draft"),
    "control_issued": ("second", "budget.submit"),
    "second_returned": ("second", "budget.submit"),
}

STAGES: dict[Stage, tuple[str, str]] = {
    "first": ("一上申报", "First submission"),
    "control": ("一下控制数", "Control figures"),
    "second": ("二上申报", "Second submission"),
    "approved": ("二下批复", "Approved"),
}

STATES: dict[str, tuple[str, str]] = {
    "draft": ("一上编报中", "First submission in preparation"),
    "first_submitted": ("一上已申报", "First submission sent"),
    "first_returned": ("一上已退回", "First submission returned"),
    "control_issued": ("控制数已下达", "Control figures issued"),
    "second_submitted": ("二上已申报", "Second submission sent"),
    "second_returned": ("二上已退回", "Second submission returned"),
    "approved": ("已批复", "Approved"),
}

STEPS: dict[str, tuple[str, str]] = {
    "create": ("新建", "Create"),
    "submit": ("申报", "Submit"),
    "issue": ("下达控制数", "Issue control figures"),
    "return": ("退回单位", "Return to the unit"),
    "approve": ("批复", "Approve"),
}

# 控制方式 of an indicator.
LEVELS: dict[str, tuple[str, str]] = {
    "2": ("2 严格控制", "2 strict"),
    "1": ("1 超额提醒", "1 warn"),
    "0": ("0 不控制", "0 none"),
}


def reviewed(state: State) -> Stage:
    """The stage that a step out of ``state`` is about: what is submitted, issued, returned or approved."""
    if state == "second_submitted":
        return "second"
    return OPEN[state][0]
