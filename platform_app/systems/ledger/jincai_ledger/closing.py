"""月结: a month is closed after the one before it, when nothing waits and everything balances; for good."""

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_ledger.books import PeriodKey
from jincai_ledger.refusal import RefusedError


class Check(BaseModel):
    """One item of the checklist before a close, and whether it is so."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    title_en: str
    ok: bool
    detail: str = ""


class Period(BaseModel):
    """One period of a division's books; what was totalled when it was closed, in fen."""

    model_config = ConfigDict(frozen=True)

    period: int
    last_voucher_no: int
    closed_by: str | None
    closed_at: str | None
    closed_vouchers: int | None
    closed_debit: int | None
    closed_credit: int | None


class Facts(BaseModel):
    """What the checklist stands on; sums in fen."""

    earlier_open: int | None
    year_before_open: bool
    drafts: int
    vouchers: int
    last_voucher_no: int
    unbalanced: int
    differing: int
    debit: int
    credit: int


_PERIODS = """
SELECT n AS period, coalesce(p.last_voucher_no, 0) AS last_voucher_no, p.closed_by,
       to_char(p.closed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') AS closed_at,
       p.closed_vouchers, p.closed_debit, p.closed_credit
  FROM generate_series(0, 13) AS n
  LEFT JOIN ledger.period AS p
    ON (p.fiscal_year, p.division, p.period) = (%(fiscal_year)s, %(division)s, n)
 ORDER BY n
"""
# Opening balances come from the year before if it has books, unless they were imported.
_FACTS = """
WITH lines AS MATERIALIZED (
    SELECT voucher_id, account, item, debit, credit
      FROM ledger.voucher_line
     WHERE (division, fiscal_year, period) = (%(division)s, %(fiscal_year)s, %(period)s)
), kept AS MATERIALIZED (
    SELECT account, item, debit, credit
      FROM ledger.balance
     WHERE (division, fiscal_year, period) = (%(division)s, %(fiscal_year)s, %(period)s)
)
SELECT (SELECT min(n)
          FROM generate_series(0, %(period)s - 1) AS n
         WHERE NOT EXISTS (SELECT FROM ledger.period AS p
                            WHERE (p.fiscal_year, p.division, p.period) = (%(fiscal_year)s, %(division)s, n)
                              AND p.closed_at IS NOT NULL)) AS earlier_open,
       %(period)s = 0
       AND NOT EXISTS (SELECT FROM lines)
       AND EXISTS (SELECT FROM ledger.period AS p
                    WHERE (p.fiscal_year, p.division) = (%(fiscal_year)s - 1, %(division)s)
                      AND p.last_voucher_no > 0)
       AS year_before_open,
       (SELECT count(*) FROM ledger.voucher_draft
         WHERE (division, fiscal_year, period) = (%(division)s, %(fiscal_year)s, %(period)s)
           AND state IN ('waiting', 'returned')) AS drafts,
       (SELECT count(*) FROM ledger.voucher
         WHERE (division, fiscal_year, period) = (%(division)s, %(fiscal_year)s, %(period)s)) AS vouchers,
       coalesce((SELECT last_voucher_no FROM ledger.period
                  WHERE (fiscal_year, division, period) = (%(fiscal_year)s, %(division)s, %(period)s)), 0)
       AS last_voucher_no,
       (SELECT count(*) FROM (SELECT FROM lines GROUP BY voucher_id HAVING sum(debit) <> sum(credit)) AS u)
       AS unbalanced,
       (SELECT count(*)
          FROM (SELECT account, item, sum(debit) AS debit, sum(credit) AS credit
                  FROM lines GROUP BY 1, 2) AS l
          FULL JOIN kept AS b USING (account, item)
         WHERE (l.debit, l.credit) IS DISTINCT FROM (b.debit, b.credit)) AS differing,
       coalesce((SELECT sum(debit) FROM lines), 0)::bigint AS debit,
       coalesce((SELECT sum(credit) FROM lines), 0)::bigint AS credit
"""
_MAKE = "INSERT INTO ledger.period (fiscal_year, division, period) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_LOCK = """
SELECT closed_by FROM ledger.period WHERE (fiscal_year, division, period) = (%s, %s, %s) FOR NO KEY UPDATE
"""
_CLOSE = """
UPDATE ledger.period
   SET closed_by = %(by)s, closed_at = statement_timestamp(), closed_vouchers = %(vouchers)s,
       closed_debit = %(debit)s, closed_credit = %(credit)s
 WHERE (fiscal_year, division, period) = (%(fiscal_year)s, %(division)s, %(period)s) AND closed_at IS NULL
"""


async def periods(cx: AsyncConnection, fiscal_year: int, division: str) -> list[Period]:
    """Every period of a year, 0 to 13, whether anything was booked in it or not."""
    async with cx.cursor(row_factory=class_row(Period)) as cursor:
        await cursor.execute(_PERIODS, {"fiscal_year": fiscal_year, "division": division})
        return await cursor.fetchall()


async def checklist(cx: AsyncConnection, key: PeriodKey) -> list[Check]:
    """What must be so before the period can be closed, and whether it is."""
    return _checks(await _facts(cx, key), key.fiscal_year)


async def close(cx: AsyncConnection, key: PeriodKey, by: str) -> None:
    """Close a period, 0 to 12, and keep what it added up to; closed by the same person again changes nothing.

    Raises:
        RefusedError: names the first item of the checklist that is not so, or who closed it.
    """
    if await hold(cx, key, by):
        return
    facts = await _facts(cx, key)
    refuse_unless(_checks(facts, key.fiscal_year))
    await settle(cx, key, by, facts)


async def hold(cx: AsyncConnection, key: PeriodKey, by: str) -> bool:
    """Lock the period, made if it is missing; whether ``by`` closed it before.

    Raises:
        RefusedError: somebody else closed it.
    """
    await cx.execute(_MAKE, key)
    row = await (await cx.execute(_LOCK, key)).fetchone()
    closed_by = row[0] if row else None
    if closed_by not in {None, by}:
        raise RefusedError(
            f"{key.fiscal_year} 年第 {key.period} 期已由 {closed_by} 结账",
            f"period {key.period} of {key.fiscal_year} was closed by {closed_by}",
        )
    return closed_by is not None


async def settle(cx: AsyncConnection, key: PeriodKey, by: str, facts: Facts | None = None) -> None:
    """Mark a locked period closed with its totals; the caller has checked that it may be."""
    found = facts or await _facts(cx, key)
    totals = found.model_dump(include={"vouchers", "debit", "credit"})
    await cx.execute(_CLOSE, {**key._asdict(), **totals, "by": by})


def refuse_unless(checks: list[Check]) -> None:
    """Refuse with the first item that is not so."""
    for check in checks:
        if not check.ok:
            raise RefusedError(
                f"不能结账:{check.title}({check.detail})", f"not closed: {check.title_en} ({check.detail})"
            )


async def _facts(cx: AsyncConnection, key: PeriodKey) -> Facts:
    async with cx.cursor(row_factory=class_row(Facts)) as cursor:
        found = await (await cursor.execute(_FACTS, key._asdict())).fetchone()
    if found is None:
        raise LookupError("a statement without FROM gave no row")
    return found


def _checks(facts: Facts, fiscal_year: int) -> list[Check]:
    return [
        Check(
            name="in_order",
            title="以前各期应先结账",
            title_en="earlier periods are closed first",
            ok=facts.earlier_open is None,
            detail="" if facts.earlier_open is None else f"{fiscal_year}-{facts.earlier_open:02}",
        ),
        Check(
            name="year_before",
            title="上年应先年结,或先导入期初余额",
            title_en="the year before is closed first, or opening balances are imported",
            ok=not facts.year_before_open,
            detail=str(fiscal_year - 1) if facts.year_before_open else "",
        ),
        Check(
            name="no_drafts",
            title="本期凭证单应全部记账或撤销",
            title_en="every draft of the period is booked or withdrawn",
            ok=facts.drafts == 0,
            detail=str(facts.drafts),
        ),
        Check(
            name="numbers",
            title="凭证号应连续",
            title_en="voucher numbers have no gap",
            ok=facts.vouchers == facts.last_voucher_no,
            detail=f"{facts.vouchers} / {facts.last_voucher_no}",
        ),
        Check(
            name="balanced",
            title="每张凭证及合计应借贷平衡",
            title_en="every voucher balances, and so does the sum",
            ok=facts.unbalanced == 0 and facts.debit == facts.credit,
            detail=f"{facts.debit / 100:,.2f} / {facts.credit / 100:,.2f}",
        ),
        Check(
            name="balances",
            title="科目余额应等于分录合计",
            title_en="kept balances equal the sums of the lines",
            ok=facts.differing == 0,
            detail=str(facts.differing),
        ),
    ]
