"""The plug: what the platform is told about this system."""

from pathlib import Path
from typing import TYPE_CHECKING

from jincai.system import Grant, MenuEntry, System

from jincai_budget import __version__
from jincai_budget.documents import DOCUMENTS

if TYPE_CHECKING:
    from fastapi import APIRouter

_HERE = Path(__file__).parent


def _router() -> "APIRouter":
    from jincai_budget import routes  # noqa: PLC0415 - `jincai migrate` needs no web framework

    return routes.router()


SYSTEM = System(
    code="budget",
    dist="jincai-budget",
    name="部门预算管理",
    name_en="Department budget",
    version=__version__,
    platform=">=1.0,<2",
    migrations=_HERE / "migrations",
    grants=(
        Grant(table="budget.indicator", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="budget.indicator_change", privileges=("SELECT", "INSERT")),
        Grant(table="budget.indicator_number", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="budget.proposal", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="budget.proposal_line", privileges=("SELECT", "INSERT", "DELETE")),
        Grant(table="budget.proposal_step", privileges=("SELECT", "INSERT")),
        Grant(table="budget.change_request", privileges=("SELECT", "INSERT", "UPDATE")),
    ),
    router=_router,
    menu=(
        MenuEntry(title="部门预算", title_en="Proposals", path="/budget/proposals"),
        MenuEntry(title="指标", title_en="Indicators", path="/budget/indicators"),
        MenuEntry(title="指标变更", title_en="Changes", path="/budget/changes"),
        MenuEntry(title="预算待办", title_en="Budget inbox", path="/budget/inbox"),
    ),
    templates=_HERE / "templates",
    consumes=(),
    publishes=("indicator",),
    documents=DOCUMENTS,
    elements=("division",),
    demonstration=_HERE / "demonstration.sql",
)
