"""Lists of the bank's side: instructions and what became of them, receipts that contradict."""

from jincai.tables import Column, Filter, Table
from psycopg import sql

from jincai_payment.bank.discrepancies import PROBLEMS
from jincai_payment.bank.state import BANK_JOINS, BANK_STATE
from jincai_payment.words import BANK_STATES, PAY_TYPES

OUTCOMES = {
    "paid": ("已支付", "Paid"),
    "failed": ("支付失败", "Failed"),
    "refunded": ("已退款", "Refunded"),
}
_DISCREPANCY_STATES = {"open": ("待处理", "Open"), "settled": ("已处理", "Settled")}

# A payment that no bank has asked for yet has no row of its own: it waits.
INSTRUCTIONS = Table(
    name="instructions",
    # Books with quotas, which are few; among a million payments there is no index to find books by.
    books=sql.Identifier("payment", "quota"),
    rows=f"""
SELECT p.id, p.pay_date, p.agency_code, p.payee_name, p.pay_type, coalesce(b.amount, p.amount) AS amount,
       {BANK_STATE} AS state,
       coalesce(b.attempts, 0) AS attempts, b.sent_to,
       to_char(b.sent_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') AS sent_at,
       b.bank_no, b.paid_date, b.reason
  FROM payment.payment AS p
  {BANK_JOINS}
 WHERE p.fiscal_year = %(fiscal_year)s AND p.division = %(division)s AND p.kind = 'payment'
""",  # noqa: S608 - our own words
    columns=(
        Column("凭证号", "Number", "id", "number"),
        Column("支付日期", "Date", "pay_date", "date"),
        Column("单位", "Unit", "agency_code"),
        Column("收款人", "Payee", "payee_name"),
        Column("方式", "Way", "pay_type", words=PAY_TYPES),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("状态", "State", "state", words=BANK_STATES),
        Column("发送次数", "Sent", "attempts", "number"),
        Column("银行", "Bank", "sent_to"),
        Column("发送时间", "Sent at", "sent_at"),
        Column("银行流水号", "Bank's number", "bank_no"),
        Column("回单日期", "Answered on", "paid_date", "date"),
        Column("原因", "Reason", "reason"),
    ),
    filters=(
        Filter("state", "状态", "State", "state", kind="choice", words=BANK_STATES),
        Filter("pay_type", "方式", "Way", "pay_type", kind="choice", words=PAY_TYPES),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("payee", "收款人", "Payee", "payee_name", "contains"),
        Filter("pay_from", "日期从", "From", "pay_date", "from", "date"),
        Filter("pay_to", "日期到", "To", "pay_date", "to", "date"),
        Filter("bank_no", "银行流水号", "Bank's number", "bank_no"),
    ),
    order=("pay_date", "id"),
)
DISCREPANCIES = Table(
    name="discrepancies",
    books=sql.Identifier("payment", "bank_discrepancy"),
    rows="""
SELECT id, payment_id, agency_code, problem, outcome, bank_no, paid_date, paid_amount, known_state,
       known_amount, told_by, times,
       to_char(told_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') AS told_at,
       CASE WHEN settled_at IS NULL THEN 'open' ELSE 'settled' END AS state
  FROM payment.bank_discrepancy
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
""",
    columns=(
        Column("差异号", "Number", "id", "number", link="/payment/bank/discrepancies/{id}"),
        Column("凭证号", "Payment", "payment_id", "number"),
        Column("单位", "Unit", "agency_code"),
        Column("差异", "Problem", "problem", words=PROBLEMS),
        Column("回单结果", "Told", "outcome", words=OUTCOMES),
        Column("回单金额", "Amount told", "paid_amount", "money"),
        Column("回单日期", "Date told", "paid_date", "date"),
        Column("银行流水号", "Bank's number", "bank_no"),
        Column("已知状态", "Known", "known_state", words=BANK_STATES),
        Column("指令金额", "Instructed", "known_amount", "money"),
        Column("银行", "Bank", "told_by"),
        Column("收到时间", "Came at", "told_at"),
        Column("次数", "Times", "times", "number"),
        Column("处理", "State", "state", words=_DISCREPANCY_STATES),
    ),
    filters=(
        Filter("state", "处理", "State", "state", kind="choice", words=_DISCREPANCY_STATES),
        Filter("problem", "差异", "Problem", "problem", kind="choice", words=PROBLEMS),
        Filter("payment_id", "凭证号", "Payment", "payment_id", kind="number"),
    ),
    order=("-id",),
)
