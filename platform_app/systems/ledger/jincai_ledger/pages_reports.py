"""Pages of the three reports: every figure leads to its lines; the trial balance goes along as Excel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from jincai import language, spreadsheet
from jincai.auth.principal import Principal, may
from jincai.pages import rendering
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, Year
from jincai.platform import Platform, PlatformOf
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_ledger import balance_sheet, books, statement, trial_balance
from jincai_ledger.asked import Range, SheetQuery, TrialBalanceQuery
from jincai_ledger.trial_balance import Row, TrialBalance
from jincai_ledger.words import GROUPS

router = APIRouter(prefix="/ledger", include_in_schema=False)

_Reader = Annotated[Principal, Depends(may("ledger.read"))]
T = TypeVar("T")


class ReportAddress(PageAddress):
    """A report's address; without year and division it offers the books there are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    first: int = Field(default=1, ge=0, le=13)
    last: int = Field(default=13, ge=0, le=13)
    by_item: bool = False
    format: Literal["html", "xlsx"] = "html"


_Asked = Annotated[ReportAddress, Query()]
_HEADINGS = (
    ("科目", "Account"),
    ("名称", "Name"),
    ("分类", "Item"),
    ("分类名称", "Item's name"),
    ("期初借方", "Opening debit"),
    ("期初贷方", "Opening credit"),
    ("本期借方", "Debit"),
    ("本期贷方", "Credit"),
    ("期末借方", "Closing debit"),
    ("期末贷方", "Closing credit"),
)


@router.get("/trial-balance")
async def trial_balance_page(
    request: Request, platform: PlatformOf, asked: _Asked, principal: _Reader
) -> Response:
    """试算平衡表."""

    async def work(cx: AsyncConnection) -> TrialBalance | None:
        return await trial_balance.draw_up(cx, TrialBalanceQuery(**_given(asked, TrialBalanceQuery)))

    if asked.format == "xlsx" and asked.fiscal_year and asked.division:
        _refuse_backwards(asked)
        found = await platform.database.read(work, token=principal.token)
        if found:
            return await _file(request, asked, found)
    return await _page(request, platform, principal, asked, template="trial_balance.html", work=work)


@router.get("/balance-sheet")
async def balance_sheet_page(
    request: Request, platform: PlatformOf, asked: _Asked, principal: _Reader
) -> Response:
    """资产负债表."""
    return await _page(
        request,
        platform,
        principal,
        asked,
        template="balance_sheet.html",
        work=lambda cx: balance_sheet.draw_up(cx, SheetQuery(**_given(asked, SheetQuery))),
    )


@router.get("/statement")
async def statement_page(
    request: Request, platform: PlatformOf, asked: _Asked, principal: _Reader
) -> Response:
    """收入支出表."""
    return await _page(
        request,
        platform,
        principal,
        asked,
        template="statement.html",
        work=lambda cx: statement.draw_up(cx, Range(**_given(asked, Range))),
    )


def _given(asked: ReportAddress, model: type[BaseModel]) -> dict[str, object]:
    return asked.model_dump(include=set(model.model_fields))


def _refuse_backwards(asked: ReportAddress) -> None:
    if asked.first > asked.last:
        mistake = {"type": "less_than_equal", "loc": ("query", "first"), "msg": "", "ctx": {"le": asked.last}}
        raise RequestValidationError([mistake])


async def _page(
    request: Request,
    platform: Platform,
    principal: Principal,
    asked: ReportAddress,
    *,
    template: str,
    work: Callable[[AsyncConnection], Awaitable[T]],
) -> Response:
    _refuse_backwards(asked)
    chosen = asked.fiscal_year is not None and asked.division is not None

    async def ask(cx: AsyncConnection) -> tuple[T | None, list[books.Books]]:
        return (await work(cx), []) if chosen else (None, await books.every(cx))

    report, there = await platform.database.read(ask, token=principal.token)
    context = {"asked": asked, "report": report, "books": there, "groups": GROUPS}
    return rendering.page(request, platform, f"ledger/{template}", context)


async def _file(request: Request, asked: ReportAddress, found: TrialBalance) -> Response:
    zh = language.of(request) == "zh"
    headings = [chinese if zh else english for chinese, english in _HEADINGS]
    made = await asyncio.to_thread(
        spreadsheet.write_xlsx, {"trial-balance": (headings, map(_cells, (*found.rows, found.total)))}
    )
    name = f"trial-balance-{asked.division}-{asked.fiscal_year}-{asked.first}-{asked.last}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(made, media_type=spreadsheet.XLSX, headers=headers)


def _cells(row: Row) -> list[spreadsheet.Cell]:
    texts = (row.account, row.name, row.item, row.item_name)
    sums = (
        *(row.opening_debit, row.opening_credit, row.debit, row.credit),
        *(row.closing_debit, row.closing_credit),
    )
    return [*texts, *map(spreadsheet.yuan, sums)]
