"""Reports and drill-down over HTTP: from a figure to its lines, from a line to its voucher."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import Page
from jincai.platform import DatabaseOf

from jincai_ledger import balance_sheet, lines, statement, trial_balance, voucher
from jincai_ledger.asked import LinesQuery, Range, SheetQuery, TrialBalanceQuery
from jincai_ledger.balance_sheet import Sheet
from jincai_ledger.draft_documents import Number
from jincai_ledger.lines import BookedLine
from jincai_ledger.refusal import answered
from jincai_ledger.statement import Statement
from jincai_ledger.trial_balance import TrialBalance
from jincai_ledger.voucher import VoucherDetail

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])

_Reader = Annotated[Principal, Depends(may("ledger.read"))]


@router.get("/trial-balance")
async def read_trial_balance(
    asked: Annotated[TrialBalanceQuery, Query()], database: DatabaseOf, principal: _Reader
) -> TrialBalance:
    """试算平衡表: opening, movements and closing by account, perhaps by item."""
    return await database.read(lambda cx: trial_balance.draw_up(cx, asked), token=principal.token)


@router.get("/balance-sheet")
async def read_balance_sheet(
    asked: Annotated[SheetQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Sheet:
    """资产负债表 after a period."""
    return await database.read(lambda cx: balance_sheet.draw_up(cx, asked), token=principal.token)


@router.get("/statement")
async def read_statement(
    asked: Annotated[Range, Query()], database: DatabaseOf, principal: _Reader
) -> Statement:
    """收入支出表 by item: the periods asked for, and since the year began."""
    return await database.read(lambda cx: statement.draw_up(cx, asked), token=principal.token)


@router.get("/lines")
async def list_lines(
    asked: Annotated[LinesQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[BookedLine]:
    """The lines that a figure is made of."""
    return await database.read(lambda cx: lines.find(cx, asked), token=principal.token)


@router.get("/vouchers/{number}")
async def read_voucher(
    request: Request, number: Number, database: DatabaseOf, principal: _Reader
) -> VoucherDetail:
    """One voucher: its lines with names, its maker and checker, what it undoes and is undone by."""
    return await answered(request, database.read(lambda cx: voucher.get(cx, number), token=principal.token))
