"""Plans, quotas, the inbox and single payments over HTTP: `/api/v1/payment/plans`, `…/quotas`, `…/inbox`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf, PlatformOf
from pydantic import BaseModel, ConfigDict, Field

from jincai_payment import approving, desk, desk_tables, inbox, plans, voucher
from jincai_payment.desk import Id, Ids, Reason
from jincai_payment.inbox import Inbox
from jincai_payment.order import PayType
from jincai_payment.plan import Plan, PlanAsked
from jincai_payment.voucher import Voucher

router = APIRouter(prefix="/api/v1/payment", tags=["payment"])

Reader = Annotated[Principal, Depends(may("payment.read"))]
Unit = Annotated[Principal, Depends(may("payment.submit"))]
Reviewer = Annotated[Principal, Depends(may("payment.review"))]
# Whoever decides on something, and whoever does anything at the desk.
Checker = Annotated[Principal, Depends(desk.may_one_of("payment.review", "payment.post"))]
Clerk = Annotated[Principal, Depends(desk.may_one_of("payment.submit", "payment.review", "payment.post"))]

AgencyCode = Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[0-9A-Za-z.-]+$")]


class Quota(BaseModel):
    """额度: ``granted`` by plans, ``used`` by payments, fen; ``control_level`` 0 none, 1 warn, 2 strict."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    indicator_id: int
    pay_type: PayType
    bgt_type_code: str
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    control_level: int
    granted: int
    used: int
    available: int


class QuotaQuery(BooksQuery):
    """Which quotas."""

    agency_code: AgencyCode | None = None
    indicator_id: Id | None = None
    pay_type: PayType | None = None


class PlanQuery(QuotaQuery):
    """Which plans."""

    state: Literal["submitted", "approved", "refused", "withdrawn"] | None = None
    month: int | None = Field(default=None, ge=1, le=12)


class Chosen(BaseModel):
    """Several at once: all of them, or none if one cannot be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: Ids


class ChosenWhy(Chosen):
    """Several at once, with the reason."""

    reason: Reason


@router.get("/quotas")
async def list_quotas(
    asked: Annotated[QuotaQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Quota]:
    """Quotas of one division in one fiscal year."""
    return await database.read(
        lambda cx: desk_tables.find(cx, Quota, desk_tables.QUOTAS, asked), token=principal.token
    )


@router.get("/plans")
async def list_plans(
    asked: Annotated[PlanQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[Plan]:
    """Plans of one division in one fiscal year, newest first."""
    return await database.read(
        lambda cx: desk_tables.find(cx, Plan, desk_tables.PLANS, asked), token=principal.token
    )


@router.get("/plans/{plan_id}")
async def read_plan(plan_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Plan:
    """One plan."""
    return await desk.look(request, platform, principal, lambda cx: plans.read(cx, plan_id))


@router.post("/plans", status_code=201)
async def submit_plan(asked: PlanAsked, request: Request, platform: PlatformOf, principal: Unit) -> Plan:
    """Submit a plan; year, division and unit are those of its indicator."""
    return await desk.answer(request, platform, principal, lambda cx: plans.submit(cx, principal, asked))


@router.post("/plans/approve")
async def approve_plans(
    asked: Chosen, request: Request, platform: PlatformOf, principal: Reviewer
) -> list[Plan]:
    """Approve plans: indicators release, quotas are made or raised, others are told."""
    return await desk.answer(
        request, platform, principal, lambda cx: approving.approve(cx, principal, asked.ids)
    )


@router.post("/plans/refuse")
async def refuse_plans(
    asked: ChosenWhy, request: Request, platform: PlatformOf, principal: Reviewer
) -> list[Plan]:
    """Refuse plans with a reason."""
    return await desk.answer(
        request, platform, principal, lambda cx: plans.refuse(cx, principal, asked.ids, asked.reason)
    )


@router.post("/plans/withdraw")
async def withdraw_plans(
    asked: Chosen, request: Request, platform: PlatformOf, principal: Unit
) -> list[Plan]:
    """Take back one's own plans before anybody has decided on them."""
    return await desk.answer(
        request, platform, principal, lambda cx: plans.withdraw(cx, principal, asked.ids)
    )


@router.get("/inbox")
async def read_inbox(database: DatabaseOf, principal: Reader) -> Inbox:
    """待办: what waits for the asker, at most 200 of each."""
    return await database.read(lambda cx: inbox.read(cx, principal), token=principal.token)


@router.get("/payments/{payment_id}")
async def read_payment(payment_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Voucher:
    """支付凭证: one payment with everything it hangs together with."""
    return await desk.look(request, platform, principal, lambda cx: voucher.read(cx, payment_id))
