"""支付凭证: one payment with everything it hangs together with."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, computed_field

from jincai_payment.bank.state import BANK_JOINS, BANK_STATE
from jincai_payment.capital import capital
from jincai_payment.desk import DeskError


class Undone(BaseModel):
    """What undoes a payment; ``amount`` in fen, negative."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    pay_date: dt.date
    amount: int


class Voucher(BaseModel):
    """One payment; ``amount`` in fen, ``left`` what nothing has undone, ``application_id`` what it was.

    ``bank_state`` is what has become of it at the bank, None of what only undoes another.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    posting_no: int
    quota_id: int
    indicator_id: int | None
    application_id: int | None
    voucher_id: int
    kind: str
    undoes: int | None
    pay_type: str
    set_mode_code: str
    bgt_type_code: str
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    payee_name: str
    payee_account: str
    payee_bank: str
    payee_kind_code: str
    purpose: str
    amount: int
    pay_date: dt.date
    warned: bool
    posted_by: str
    posted_at: dt.datetime
    bank_state: str | None
    bank_no: str | None
    paid_date: dt.date | None
    bank_reason: str | None
    clearing_voucher_id: int | None
    undone_by: list[Undone]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def capital_amount(self) -> str:
        """大写金额."""
        return capital(self.amount)

    @property
    def left(self) -> int:
        """Fen that may still be undone."""
        return self.amount + sum(one.amount for one in self.undone_by)


_READ = f"""
SELECT p.id, p.fiscal_year, p.division, p.agency_code, p.posting_no, p.quota_id, q.indicator_id,
       a.id AS application_id, p.voucher_id, p.kind, p.undoes, p.pay_type, p.set_mode_code, p.bgt_type_code,
       p.fund_type_code, p.exp_func_code, p.dep_exp_eco_code, p.project_code, p.payee_name, p.payee_account,
       p.payee_bank, p.payee_kind_code, p.purpose, p.amount, p.pay_date, p.warned, p.posted_by, p.posted_at,
       {BANK_STATE} AS bank_state,
       b.bank_no, b.paid_date, b.reason AS bank_reason, c.voucher_id AS clearing_voucher_id,
       (SELECT coalesce(json_agg(json_build_object('id', u.id, 'kind', u.kind, 'pay_date', u.pay_date,
                                                   'amount', u.amount) ORDER BY u.id), '[]')
          FROM payment.payment AS u WHERE u.undoes = p.id) AS undone_by
  FROM payment.payment AS p
  LEFT JOIN payment.quota AS q ON q.id = p.quota_id
  LEFT JOIN payment.application AS a ON a.payment_id = p.id
  {BANK_JOINS}
 WHERE p.id = %s
"""  # noqa: S608 - our own words


async def read(cx: AsyncConnection, payment_id: int) -> Voucher:
    """The payment.

    Raises:
        DeskError: there is none that the reader may see.
    """
    async with cx.cursor(row_factory=class_row(Voucher)) as cursor:
        found = await (await cursor.execute(_READ, (payment_id,))).fetchone()
    if found is None:
        raise DeskError(
            404,
            f"没有支付凭证 {payment_id},或您无权查看。",
            f"There is no payment {payment_id} that you may see.",
        )
    return found
