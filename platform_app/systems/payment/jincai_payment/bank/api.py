"""What the agent bank asks and tells over HTTP: `/api/v1/payment/bank/…`."""

import datetime as dt
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from jincai import language
from jincai.auth.principal import Principal, may
from jincai.identity import SHANGHAI
from jincai.paging import BooksQuery, DivisionCode, Page
from jincai.platform import DatabaseOf
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai_payment.bank import discrepancies, instructions, receipts
from jincai_payment.bank.discrepancies import Discrepancy
from jincai_payment.bank.instructions import DAYS, Instruction, Wanted
from jincai_payment.bank.receipt import Outcome, Problem, Receipt
from jincai_payment.bank.refused import or_http

router = APIRouter(prefix="/api/v1/payment/bank", tags=["payment"])

_Bank = Annotated[Principal, Depends(may("payment.bank"))]
_Reader = Annotated[Principal, Depends(may("payment.read"))]
_Maker = Annotated[Principal, Depends(may("payment.review"))]
Number = Annotated[int, Path(gt=0, lt=2**63)]
# No bank was asked before the year of the oldest books.
_Day = Annotated[dt.date, Field(ge=dt.date(1949, 1, 1))]


class Asked(BaseModel):
    """Which payments a bank wants; without ``division`` those of all divisions of its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    division: list[DivisionCode] = Field(default=[], max_length=200)
    pay_from: _Day | None = None
    pay_to: _Day | None = None
    limit: int = Field(default=200, ge=1, le=1000)
    # Unanswered so long they are handed out again.
    lease_seconds: int = Field(default=900, ge=1, le=86_400)

    def wanted(self, divisions: tuple[str, ...]) -> Wanted:
        """With the days that were not given: up to today, and a month back."""
        end = self.pay_to or dt.datetime.now(SHANGHAI).date()
        start = self.pay_from or end - dt.timedelta(days=DAYS)
        return Wanted(divisions=divisions, start=start, end=end, limit=self.limit, lease=self.lease_seconds)


class BankReceipt(BaseModel):
    """回单, the standard document; ``paid_amount`` in fen, 0 if it failed, and then with a reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payment_id: int = Field(gt=0, lt=2**63)
    outcome: Outcome
    bank_no: str = Field(default="", max_length=30, pattern=r"^[0-9A-Za-z-]*$")
    paid_date: _Day
    paid_amount: int = Field(ge=0, le=10**15)
    reason: str = Field(default="", max_length=180, pattern=r"^[^\x00-\x1f\x7f]*$")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.outcome == "failed":
            if self.paid_amount != 0 or not self.reason.strip():
                raise ValueError("what failed has paid_amount 0 and a reason")
        elif self.paid_amount == 0 or not self.bank_no:
            raise ValueError("what was paid or refunded has a paid_amount and a bank_no")
        return self

    def receipt(self) -> Receipt:
        """The receipt, as it is decided on."""
        return Receipt(**self.model_dump())


class Settled(BaseModel):
    """How a discrepancy was settled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    note: str = Field(min_length=2, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")


class ReceiptAnswer(BaseModel):
    """What became of a receipt; told again it is answered the same, but for ``again``."""

    model_config = ConfigDict(frozen=True)

    payment_id: int
    outcome: Literal["accepted", "refused"]
    problem: Problem
    again: bool


@router.post("/instructions")
async def hand_out(
    asked: Annotated[Asked, Query()], request: Request, database: DatabaseOf, principal: _Bank
) -> list[Instruction]:
    """Hand out instructions that no bank has, and again those that this bank left unanswered."""
    wanted = asked.wanted(_divisions(asked, request, principal))
    actor = principal.actor
    await database.write(
        lambda cx: instructions.queue(cx, wanted, actor), token=principal.token, repeatable=True
    )
    return await database.write(lambda cx: instructions.claim(cx, wanted, actor), token=principal.token)


@router.post("/receipts")
async def take_receipts(
    told: Annotated[list[BankReceipt], Field(min_length=1, max_length=receipts.RECEIPTS_MOST)],
    request: Request,
    database: DatabaseOf,
    principal: _Bank,
) -> list[ReceiptAnswer]:
    """Take receipts, each with its own answer; what failed or came back is undone in the books with it."""
    given = [one.receipt() for one in told]
    replies = await or_http(
        request,
        database.write(
            lambda cx: receipts.take(cx, given, principal.actor), token=principal.token, repeatable=True
        ),
    )
    return [
        ReceiptAnswer(
            payment_id=one.payment_id,
            outcome="refused" if one.problem else "accepted",
            problem=one.problem,
            again=one.again,
        )
        for one in replies
    ]


@router.get("/discrepancies")
async def list_discrepancies(
    asked: Annotated[BooksQuery, Query()], database: DatabaseOf, principal: _Reader
) -> Page[Discrepancy]:
    """Receipts of one division in one fiscal year that contradict what is known."""
    return await database.read(lambda cx: discrepancies.find(cx, asked), token=principal.token)


@router.post("/discrepancies/{number}/settle")
async def settle_discrepancy(
    number: Number, settled: Settled, request: Request, database: DatabaseOf, principal: _Maker
) -> Discrepancy:
    """Say how a discrepancy was settled with the bank; it stays in the list."""
    return await or_http(
        request,
        database.write(
            lambda cx: discrepancies.settle(cx, number, settled.note, principal.actor),
            token=principal.token,
            repeatable=True,
        ),
    )


def _divisions(asked: Asked, request: Request, principal: Principal) -> tuple[str, ...]:
    zh = language.of(request) == "zh"
    if principal.divisions is None:
        if not asked.division:
            raise HTTPException(
                422,
                "密钥不限区划,请给出 division。" if zh else "The key reaches all divisions: give division.",
            )
        return tuple(asked.division)
    if beyond := sorted(set(asked.division) - set(principal.divisions)):
        listed = "、".join(beyond) if zh else ", ".join(beyond)
        raise HTTPException(403, f"密钥不含区划 {listed}。" if zh else f"The key does not reach {listed}.")
    return tuple(asked.division) or principal.divisions
