"""支付令: what is asked of `post`, already admitted: its codes exist, its form is right.

Named tuples take a quarter of a frozen dataclass's time to make, and a batch makes three for each payment.
"""

import datetime as dt
import hashlib
from typing import Literal, NamedTuple

Kind = Literal["payment", "refund", "correction", "bank_return"]
PayType = Literal["direct", "authorised"]


class Order(NamedTuple):
    """One order to pay, or to undo a payment.

    Attributes:
        idempotency_key: 8 to 64 characters, the asker's own; with ``division`` it names the order for ever.
        quota_id: the quota it is paid from, which says division, unit and classification.
        kind: ``payment``, or what undoes one (then ``undoes`` names that one, and ``amount`` is negative).
        amount: fen.
        posted_by: who answers for it.
        token: the asker's session, whose scope PostgreSQL checks; None in a process that may do all.
    """

    idempotency_key: str
    fiscal_year: int
    division: str
    agency_code: str
    quota_id: int
    amount: int
    pay_date: dt.date
    payee_name: str
    payee_account: str
    purpose: str
    posted_by: str
    payee_bank: str = ""
    payee_kind_code: str = "1"
    set_mode_code: str = "1"
    kind: Kind = "payment"
    undoes: int | None = None
    token: str | None = None

    def digest(self) -> int:
        """64 bits of everything the order says, so that a key used for another order is noticed."""
        said = (
            f"{self.quota_id}|{self.kind}|{self.undoes}|{self.amount}|{self.pay_date}|{self.fiscal_year}"
            f"|{self.agency_code}|{self.payee_name}|{self.payee_account}|{self.payee_bank}"
            f"|{self.payee_kind_code}|{self.set_mode_code}|{self.purpose}"
        )
        return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


Reason = Literal[
    "",
    "over_quota",  # R14: beyond what plans have released
    "no_quota",  # no such quota for this unit and year
    "unknown_code",  # a code that the year's edition in force does not have
    "not_yours",  # beyond the asker's scope
    "key_used",  # the key was used for another order
    "nothing_to_undo",  # no such payment of this quota
    "other_payee",  # what is undone went to another account
    "over_undone",  # more would be undone than was paid
    "forbidden",  # by a rule before payment
    "rejected",  # held by a rule, and rejected by another person
]


class Decision(NamedTuple):
    """What became of an order.

    Attributes:
        outcome: ``posted``, ``refused``, or ``held`` until another person releases or rejects it.
        reason: why it was refused.
        payment_id: of the payment posted.
        posting_no: its number among its unit's payments.
        again: whether this order had been decided before; the answer is the same.
        warned: whether it went beyond a quota that only warns.
        rules: those that stopped it.
    """

    outcome: Literal["posted", "refused", "held"]
    reason: Reason = ""
    payment_id: int | None = None
    posting_no: int | None = None
    again: bool = False
    warned: bool = False
    rules: tuple[str, ...] = ()
