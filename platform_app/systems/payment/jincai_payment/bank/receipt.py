"""回单: what a bank tells about an instruction, and what is answered."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["paid", "failed", "refunded"]
Problem = Literal[
    "",
    "unknown",  # no payment that the bank may see
    "not_sent",  # never handed out to a bank, or undone before it was
    "other_bank",  # handed out to another bank
    "date",  # before the payment's date, or not yet come
    "amount",  # paid something else than the instruction says
    "contradiction",  # another outcome, number, date or amount than was told before
    "not_paid",  # a refund of what failed
    "over_refunded",  # more came back than was paid
    "closed",  # the year that the return belongs to is closed
    "not_postable",  # posting refuses the return, for a code that is no longer in force, say; nothing is kept
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt.

    Attributes:
        outcome: ``paid``, ``failed``, or ``refunded``: money that came back after it was paid.
        bank_no: the bank's business number (XAgentBusinessNo); of a refund, the refund's own.
        paid_date: the day it was paid, failed or came back.
        paid_amount: fen; 0 if it failed.
        reason: why it failed or came back.
    """

    payment_id: int
    outcome: Outcome
    bank_no: str
    paid_date: dt.date
    paid_amount: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a receipt; the same for each repetition but for ``again``."""

    payment_id: int
    problem: Problem = ""
    again: bool = False


def bank_of(actor: str) -> str:
    """The bank behind a key: its name up to ``@``, so that a renewed key (``icbc@2``) is the same bank."""
    return actor.partition("@")[0]
