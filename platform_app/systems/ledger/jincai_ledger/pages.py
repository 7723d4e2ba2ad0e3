"""Lists: vouchers, the lines that a figure is made of, drafts and the checker's inbox."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jincai.pages import listing
from jincai.platform import PlatformOf
from jincai.tables import Column, Filter, Table
from psycopg import sql

from jincai_ledger.words import KINDS, SOURCES, STATES

router = APIRouter(prefix="/ledger", include_in_schema=False)

# Every voucher has a period, and of those there are few: which books there are is found at once.
_BOOKS = sql.Identifier("ledger", "period")

# What is asked of lines is asked of all of them at once: vouchers with one line that fits it all are found.
# Asking 90,000 vouchers for their lines one by one takes twice as long. Sub-selects are for the rows shown.
VOUCHERS = Table(
    name="vouchers",
    books=_BOOKS,
    rows="""
SELECT v.id, v.period, v.voucher_no, v.vou_date, v.summary, v.source, v.made_by, v.checked_by,
       (SELECT sum(l.debit)::bigint FROM ledger.voucher_line AS l WHERE l.voucher_id = v.id) AS amount,
       (SELECT string_agg(DISTINCT l.account, ' ') FROM ledger.voucher_line AS l WHERE l.voucher_id = v.id)
       AS accounts,
       (SELECT max(l.agency_code) FROM ledger.voucher_line AS l WHERE l.voucher_id = v.id) AS unit,
       %(account)s::text AS account, %(agency_code)s::text AS agency_code,
       %(amount_from)s::bigint AS amount_from, %(amount_to)s::bigint AS amount_to
  FROM ledger.voucher AS v
 WHERE v.fiscal_year = %(fiscal_year)s AND v.division = %(division)s
   AND (num_nonnulls(%(account)s::text, %(agency_code)s::text, %(amount_from)s::bigint,
                     %(amount_to)s::bigint) = 0
        OR v.id IN (SELECT l.voucher_id
                      FROM ledger.voucher_line AS l
                     WHERE l.fiscal_year = %(fiscal_year)s AND l.division = %(division)s
                       AND (%(account)s::text IS NULL OR l.account = %(account)s)
                       AND (%(agency_code)s::text IS NULL OR l.agency_code = %(agency_code)s)
                       AND (%(amount_from)s::bigint IS NULL OR l.debit + l.credit >= %(amount_from)s)
                       AND (%(amount_to)s::bigint IS NULL OR l.debit + l.credit <= %(amount_to)s)))
""",
    columns=(
        Column("期间", "Period", "period", "number"),
        Column("凭证号", "Number", "voucher_no", "number", link="/ledger/vouchers/{id}"),
        Column("日期", "Date", "vou_date", "date"),
        Column("摘要", "Summary", "summary", link="/ledger/vouchers/{id}"),
        Column("来源", "Source", "source", words=SOURCES),
        Column("科目", "Accounts", "accounts"),
        Column("单位", "Unit", "unit"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("制单", "Made by", "made_by"),
        Column("复核", "Checked by", "checked_by"),
    ),
    filters=(
        Filter("period", "期间", "Period", "period", kind="number"),
        Filter("voucher_no", "凭证号", "Number", "voucher_no", kind="number"),
        Filter("account", "科目", "Account", "account"),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("amount_from", "分录金额从", "Line's amount from", "amount_from", "from", "money"),
        Filter("amount_to", "分录金额到", "to", "amount_to", "to", "money"),
        Filter("summary", "摘要", "Summary", "summary", "contains"),
        Filter("source", "来源", "Source", "source", kind="choice", words=SOURCES),
    ),
    order=("period", "voucher_no"),
)

# An item that is none is shown as "-", so that it can be asked for, too. Sorted as the index is, so that the
# first page of any account is read and not sorted for.
LINES = Table(
    name="lines",
    books=_BOOKS,
    rows="""
SELECT l.voucher_id, l.line_no, l.period, l.account, l.item AS item_code,
       coalesce(nullif(l.item, ''), '-') AS item, l.agency_code, l.debit, l.credit,
       (SELECT v.voucher_no FROM ledger.voucher AS v WHERE v.id = l.voucher_id) AS voucher_no,
       (SELECT v.vou_date FROM ledger.voucher AS v WHERE v.id = l.voucher_id) AS vou_date,
       (SELECT v.summary FROM ledger.voucher AS v WHERE v.id = l.voucher_id) AS summary
  FROM ledger.voucher_line AS l
 WHERE l.fiscal_year = %(fiscal_year)s AND l.division = %(division)s
""",
    columns=(
        Column("期间", "Period", "period", "number"),
        Column("凭证号", "Number", "voucher_no", "number", link="/ledger/vouchers/{voucher_id}"),
        Column("日期", "Date", "vou_date", "date"),
        Column("摘要", "Summary", "summary", link="/ledger/vouchers/{voucher_id}"),
        Column("科目", "Account", "account"),
        Column("分类", "Item", "item"),
        Column("单位", "Unit", "agency_code"),
        Column("借方(元)", "Debit (yuan)", "debit", "money"),
        Column("贷方(元)", "Credit (yuan)", "credit", "money"),
    ),
    filters=(
        Filter("account", "科目", "Account", "account"),
        Filter("item", "分类(- 为无)", "Item (- for none)", "item"),
        Filter("first", "期间从", "From period", "period", "from", "number"),
        Filter("last", "期间到", "To period", "period", "to", "number"),
        Filter("agency_code", "单位", "Unit", "agency_code"),
    ),
    order=("account", "item_code", "period", "voucher_id", "line_no"),
)

DRAFTS = Table(
    name="drafts",
    books=sql.Identifier("ledger", "voucher_draft"),
    rows="""
SELECT d.id, d.period, d.vou_date, d.summary, d.kind, d.state, d.made_by, d.checked_by, d.reason,
       (SELECT sum(l.debit)::bigint FROM ledger.voucher_draft_line AS l WHERE l.draft_id = d.id) AS amount
  FROM ledger.voucher_draft AS d
 WHERE d.fiscal_year = %(fiscal_year)s AND d.division = %(division)s
""",
    columns=(
        Column("单号", "Number", "id", "number", link="/ledger/drafts/{id}"),
        Column("期间", "Period", "period", "number"),
        Column("日期", "Date", "vou_date", "date"),
        Column("类型", "Kind", "kind", words=KINDS),
        Column("摘要", "Summary", "summary", link="/ledger/drafts/{id}"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("状态", "State", "state", words=STATES),
        Column("制单", "Made by", "made_by"),
        Column("复核", "Checked by", "checked_by"),
        Column("退回原因", "Reason", "reason"),
    ),
    filters=(
        Filter("state", "状态", "State", "state", kind="choice", words=STATES),
        Filter("kind", "类型", "Kind", "kind", kind="choice", words=KINDS),
        Filter("made_by", "制单", "Made by", "made_by"),
        Filter("summary", "摘要", "Summary", "summary", "contains"),
    ),
    order=("-id",),
)


@router.get("/vouchers")
async def vouchers_page(request: Request, platform: PlatformOf) -> Response:
    """Vouchers of one division in one fiscal year."""
    return await listing.answer(
        request,
        platform,
        table=VOUCHERS,
        title=("凭证", "Vouchers"),
        permission="ledger.read",
        actions=(("编制凭证", "New voucher", "/ledger/drafts/new"),),
    )


@router.get("/lines")
async def lines_page(request: Request, platform: PlatformOf) -> Response:
    """联查: the lines that a figure is made of."""
    return await listing.answer(
        request, platform, table=LINES, title=("分录明细", "Lines"), permission="ledger.read"
    )


@router.get("/drafts")
async def drafts_page(request: Request, platform: PlatformOf) -> Response:
    """Drafts; with ``state=waiting`` the checker's inbox."""
    return await listing.answer(
        request,
        platform,
        table=DRAFTS,
        title=("待记账凭证", "Drafts"),
        permission="ledger.read",
        actions=(("编制凭证", "New voucher", "/ledger/drafts/new"),),
    )
