"""What a receipt changes: pure, on instructions as they are held.

Whatever the order and repetition of the receipts of one story, its end is the same: a refund that comes
before its payment's receipt waits for it, a repetition changes nothing. A receipt that contradicts the story
so far is a discrepancy (差异) and changes nothing either.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from jincai_payment.bank.receipt import Problem, Receipt, Reply


@dataclass(slots=True)
class Refund:
    """退款 of a payment, known by the bank's number; it waits until its payment's receipt has come."""

    told: Receipt
    waits: bool
    new: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """An entry to be posted: ``amount`` fen (positive) of the payment are undone."""

    kind: Literal["bank_return", "refund"]
    key: str
    amount: int
    date: dt.date
    reason: str
    bank_no: str


@dataclass(slots=True)
class Held:
    """One instruction, locked, and what receipts made of it.

    Attributes:
        amount: what the bank was told to pay, fen.
        left: of the payment, what no entry has undone yet.
        answer: the receipt that settled it, if one has.
        closed: months of its books in which nothing can be booked any more.
        undone: entries that these receipts call for.
        dropped: numbers of refunds that waited and cannot be.
        differing: receipts that contradict, with what is wrong with each.
        settled: whether one of these receipts is its answer.
    """

    payment_id: int
    fiscal_year: int
    state: str
    amount: int
    left: int
    pay_date: dt.date
    sent_to: str | None
    answer: Receipt | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()
    undone: list[Undo] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    differing: list[tuple[Receipt, Problem]] = field(default_factory=list)
    settled: bool = False

    def booked_on(self, date: dt.date) -> dt.date | None:
        """When an entry of ``date`` is booked; None: its year is closed.

        In January it is still in the old year's books, on their last day; after its month was closed, which
        stays so, on the first day of the next open one.
        """
        day = min(date, dt.date(self.fiscal_year, 12, 31))
        if day.month not in self.closed:
            return day
        later = (month for month in range(day.month + 1, 13) if month not in self.closed)
        return next((dt.date(self.fiscal_year, month, 1) for month in later), None)

    def is_closed(self, date: dt.date) -> bool:
        """Whether an entry of ``date`` comes too late for the books of its year."""
        return self.booked_on(date) is None

    @property
    def refunded(self) -> int:
        """What the bank's refunds come to, waiting ones too; fen."""
        return sum(one.told.paid_amount for one in self.refunds.values())


def decide(held: Held, told: Receipt, bank: str, today: dt.date) -> Reply:
    """Take ``told`` by ``bank`` into ``held``, or say what is wrong with it."""
    problem = _misplaced(held, told, bank, today)
    again = False
    if not problem:
        problem, again = _refund(held, told) if told.outcome == "refunded" else _settle(held, told)
    if problem:
        held.differing.append((told, problem))
    return Reply(told.payment_id, problem, again)


def _misplaced(held: Held, told: Receipt, bank: str, today: dt.date) -> Problem:
    if held.sent_to is None:
        return "not_sent"
    if held.sent_to != bank:
        return "other_bank"
    return "" if held.pay_date <= told.paid_date <= today else "date"


def _settle(held: Held, told: Receipt) -> tuple[Problem, bool]:
    if held.answer is not None:
        same = _says(held.answer) == _says(told)
        return ("", True) if same else ("contradiction", False)
    if told.outcome == "paid":
        if told.paid_amount != held.amount:
            return "amount", False
        waiting = [one for one in held.refunds.values() if one.waits]
        _answered(held, told)
        for one in sorted(waiting, key=lambda one: one.told.bank_no):
            _come_true(held, one)
        return "", False
    if held.left and held.is_closed(told.paid_date):
        return "closed", False
    _answered(held, told)
    if held.left:
        _undo(held, "bank_return", told, held.left)
    for one in list(held.refunds.values()):
        _drop(held, one, "not_paid")
    return "", False


def _refund(held: Held, told: Receipt) -> tuple[Problem, bool]:
    if known := held.refunds.get(told.bank_no):
        same = _says(known.told) == _says(told)
        return ("", True) if same else ("contradiction", False)
    if held.state == "failed":
        return "not_paid", False
    paid = held.state == "paid"
    if told.paid_amount > min(held.amount - held.refunded, held.left if paid else held.amount):
        return "over_refunded", False
    if held.is_closed(told.paid_date):
        return "closed", False
    held.refunds[told.bank_no] = Refund(told, waits=not paid, new=True)
    if paid:
        _undo(held, "refund", told, told.paid_amount)
    return "", False


def _answered(held: Held, told: Receipt) -> None:
    held.state, held.answer, held.settled = told.outcome, told, True


def _come_true(held: Held, refund: Refund) -> None:
    """A refund that waited: posted now, unless people undid the payment or closed its year meanwhile."""
    if refund.told.paid_amount > held.left:
        _drop(held, refund, "over_refunded")
        return
    if held.is_closed(refund.told.paid_date):
        _drop(held, refund, "closed")
        return
    refund.waits = False
    _undo(held, "refund", refund.told, refund.told.paid_amount)


def _undo(held: Held, kind: Literal["bank_return", "refund"], told: Receipt, amount: int) -> None:
    date = held.booked_on(told.paid_date)
    if date is None:
        raise ValueError(f"the books of payment {held.payment_id} are closed")
    key = f"bank-return-{held.payment_id}"
    if kind == "refund":
        key = f"bank-refund-{held.payment_id}-{told.bank_no}"
    held.undone.append(Undo(kind, key, amount, date, told.reason, told.bank_no))
    held.left -= amount


def _drop(held: Held, refund: Refund, problem: Problem) -> None:
    del held.refunds[refund.told.bank_no]
    if not refund.new:
        held.dropped.append(refund.told.bank_no)
    held.differing.append((refund.told, problem))


def _says(told: Receipt) -> tuple[object, ...]:
    """What a repetition must say again; the wording of a reason may vary."""
    return told.outcome, told.bank_no, told.paid_date, told.paid_amount
