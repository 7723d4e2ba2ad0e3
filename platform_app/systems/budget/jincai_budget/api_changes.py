"""指标变更 over HTTP: `/api/v1/budget/change-requests/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import Page
from jincai.platform import DatabaseOf

from jincai_budget import changes, decisions
from jincai_budget.change import ChangeQuery, ChangeRequest, NewChange
from jincai_budget.decisions import ApproveChange, RefuseChange
from jincai_budget.refusals import answered

router = APIRouter(prefix="/api/v1/budget/change-requests", tags=["budget"])

_Number = Annotated[int, Path(gt=0, lt=2**63)]
_Reader = Annotated[Principal, Depends(may("budget.read"))]
_Maker = Annotated[Principal, Depends(may("budget.draft"))]
_Checker = Annotated[Principal, Depends(may("budget.approve"))]


@router.post("")
async def ask_for_change(
    asked: NewChange, request: Request, database: DatabaseOf, who: _Maker
) -> ChangeRequest:
    """Ask for an adjustment, addition, reduction or carry-over; what it takes is reserved at once."""
    with answered(request):
        return await database.write(lambda cx: changes.ask(cx, asked, who), token=who.token, repeatable=True)


@router.get("")
async def list_requests(
    asked: Annotated[ChangeQuery, Query()], database: DatabaseOf, who: _Reader
) -> Page[ChangeRequest]:
    """Requests of one division in one fiscal year, newest first."""
    return await database.read(lambda cx: changes.find(cx, asked), token=who.token)


@router.get("/{number}")
async def one_request(number: _Number, request: Request, database: DatabaseOf, who: _Reader) -> ChangeRequest:
    """One request."""
    with answered(request):
        return await database.read(lambda cx: changes.get(cx, number), token=who.token)


@router.post("/{number}/approve")
async def approve_request(
    number: _Number, asked: ApproveChange, request: Request, database: DatabaseOf, who: _Checker
) -> ChangeRequest:
    """Approve: the indicators change now."""
    with answered(request):
        return await database.write(
            lambda cx: decisions.decide(cx, number, "approved", asked.reason, who),
            token=who.token,
            repeatable=True,
        )


@router.post("/{number}/refuse")
async def refuse_request(
    number: _Number, asked: RefuseChange, request: Request, database: DatabaseOf, who: _Checker
) -> ChangeRequest:
    """Refuse: what was reserved is free again."""
    with answered(request):
        return await database.write(
            lambda cx: decisions.decide(cx, number, "refused", asked.reason, who),
            token=who.token,
            repeatable=True,
        )
