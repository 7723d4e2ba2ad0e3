"""The plug of 总会计核算 for outside systems: vouchers (记账凭证) are given."""

import datetime as dt

from jincai.socket.document import Document, Pull
from pydantic import BaseModel, ConfigDict


class VoucherLineDocument(BaseModel):
    """One side: an account of the chart, its item and unit; ``debit`` or ``credit`` in fen, red negative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_no: int
    account: str
    item: str
    agency_code: str
    debit: int
    credit: int


class VoucherDocument(BaseModel):
    """One booked voucher; ``source`` says what for, ``undoes`` names by id what a red one undoes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: int
    division: str
    period: int
    voucher_no: int
    vou_date: dt.date
    summary: str
    source: str
    source_id: int | None
    undoes: int | None
    lines: list[VoucherLineDocument]


_VOUCHERS = """
SELECT v.id, v.xmin AS written, v.fiscal_year, v.division, v.period, v.voucher_no, v.vou_date, v.summary,
       v.source, v.source_id, v.undoes,
       (SELECT json_agg(json_build_object('line_no', l.line_no, 'account', l.account, 'item', l.item,
                                          'agency_code', l.agency_code, 'debit', l.debit, 'credit', l.credit)
                        ORDER BY l.line_no)
          FROM ledger.voucher_line AS l
         WHERE l.voucher_id = v.id) AS lines
  FROM ledger.voucher AS v
 WHERE v.fiscal_year = %(fiscal_year)s AND v.division = %(division)s
"""

DOCUMENTS = (
    Document(
        kind="voucher",
        title="记账凭证",
        title_en="Voucher",
        model=lambda: VoucherDocument,
        pull=Pull(permission="ledger.read", rows=_VOUCHERS),
    ),
)
