"""待记账凭证: a maker prepares, a checker, who is somebody else, books or returns. Amounts in fen.

waiting → booked, or → returned → (revised) waiting; the maker may withdraw what is not booked.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_ledger import checks, entries
from jincai_ledger.books import PeriodKey
from jincai_ledger.entries import Entry, Line
from jincai_ledger.refusal import RefusedError

DraftKind = Literal["manual", "opening", "red"]
State = Literal["waiting", "returned", "booked", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a maker asks to be booked; ``undoes`` names the voucher that a red one corrects."""

    idempotency_key: str
    fiscal_year: int
    division: str
    kind: DraftKind
    vou_date: dt.date
    summary: str
    lines: tuple[Line, ...]
    undoes: int | None = None
    # Of a correction of opening balances: it goes where they are.
    in_opening: bool = False

    @property
    def period(self) -> int:
        """0 for opening balances, else the month."""
        return 0 if self.kind == "opening" or self.in_opening else self.vou_date.month

    def digest(self) -> str:
        """Of everything asked but the key."""
        said = {**asdict(self), "idempotency_key": "", "vou_date": self.vou_date.isoformat()}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Held:
    """A draft as it stands, locked."""

    id: int
    fiscal_year: int
    division: str
    period: int
    vou_date: dt.date
    summary: str
    kind: DraftKind
    undoes: int | None
    state: State
    made_by: str
    checked_by: str | None
    voucher_id: int | None


_BY_KEY = "SELECT id, digest FROM ledger.voucher_draft WHERE (division, idempotency_key) = (%s, %s)"
_INSERT = """
INSERT INTO ledger.voucher_draft (fiscal_year, division, period, vou_date, summary, kind, undoes,
                                  idempotency_key, digest, made_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (division, idempotency_key) DO NOTHING
RETURNING id
"""
_LINES = """
INSERT INTO ledger.voucher_draft_line (draft_id, line_no, fiscal_year, division, account, item, agency_code,
                                       debit, credit)
SELECT %s, l.line_no, %s, %s, l.account, l.item, l.agency_code, l.debit, l.credit
  FROM unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
       AS l (line_no, account, item, agency_code, debit, credit)
"""
_LOCK = """
SELECT id, fiscal_year, division, period, vou_date, summary, kind, undoes, state, made_by, checked_by,
       voucher_id
  FROM ledger.voucher_draft
 WHERE id = %s
   FOR NO KEY UPDATE
"""
_LINES_OF = """
SELECT account, item, agency_code, debit, credit
  FROM ledger.voucher_draft_line
 WHERE draft_id = %s
 ORDER BY line_no
"""
_REVISE = """
UPDATE ledger.voucher_draft
   SET period = %s, vou_date = %s, summary = %s, digest = %s, state = 'waiting',
       made_at = statement_timestamp(), checked_by = NULL, checked_at = NULL, reason = ''
 WHERE id = %s
"""
_WITHDRAW = "UPDATE ledger.voucher_draft SET state = 'withdrawn' WHERE id = %s"
_RETURN = """
UPDATE ledger.voucher_draft
   SET state = 'returned', checked_by = %s, checked_at = statement_timestamp(), reason = %s
 WHERE id = %s
"""
_BOOKED = """
UPDATE ledger.voucher_draft
   SET state = 'booked', checked_by = %s, checked_at = statement_timestamp(), reason = '', voucher_id = %s
 WHERE id = %s
"""


async def submit(cx: AsyncConnection, wanted: Wanted, by: str) -> int:
    """Keep what ``by`` wants booked, for a checker; its id. Asked again under its key it is the same.

    Raises:
        RefusedError: it does not balance, has unknown codes, its period is closed, or the key is used.
    """
    if (before := await known(cx, wanted)) is not None:
        return before
    await _check(cx, wanted)
    given = (
        *(wanted.fiscal_year, wanted.division, wanted.period, wanted.vou_date, wanted.summary, wanted.kind),
        *(wanted.undoes, wanted.idempotency_key, wanted.digest(), by),
    )
    row = await (await cx.execute(_INSERT, given)).fetchone()
    if row is None:  # somebody else was faster under the same key
        return await known(cx, wanted) or 0
    await _write_lines(cx, row[0], wanted)
    return int(row[0])


async def revise(cx: AsyncConnection, number: int, wanted: Wanted, by: str) -> None:
    """Replace what a draft says, by its maker, and hand it to a checker again."""
    held = await lock(cx, number)
    _only_maker(held, by)
    _only_in(held, "waiting", "returned")
    if (held.fiscal_year, held.division, held.kind) != (wanted.fiscal_year, wanted.division, wanted.kind):
        raise RefusedError(
            "年度、区划和类型不能改;请撤销后重新编制",
            "year, division and kind stay: withdraw it and prepare another",
        )
    await _check(cx, wanted)
    given = (wanted.period, wanted.vou_date, wanted.summary, wanted.digest(), number)
    await cx.execute(_REVISE, given)
    await cx.execute("DELETE FROM ledger.voucher_draft_line WHERE draft_id = %s", (number,))
    await _write_lines(cx, number, wanted)


async def withdraw(cx: AsyncConnection, number: int, by: str) -> None:
    """Take back a draft that is not booked, by its maker; again changes nothing."""
    held = await lock(cx, number)
    _only_maker(held, by)
    if held.state == "withdrawn":
        return
    _only_in(held, "waiting", "returned")
    await cx.execute(_WITHDRAW, (number,))


async def send_back(cx: AsyncConnection, number: int, reason: str, by: str) -> None:
    """Return a waiting draft to its maker with a reason."""
    held = await lock(cx, number)
    _never_maker(held, by)
    if held.state == "returned" and held.checked_by == by:
        return
    _only_in(held, "waiting")
    await cx.execute(_RETURN, (by, reason, number))


async def book(cx: AsyncConnection, number: int, by: str) -> int:
    """Book a waiting draft; the voucher's id. The same checker asking again gets the same voucher.

    Raises:
        RefusedError: ``by`` made it, it does not wait, or a code is no longer in force.
        psycopg.errors.Error: ``JC003``, its period is closed; the voucher it corrects was undone already.
    """
    held = await lock(cx, number)
    _never_maker(held, by)
    if held.state == "booked" and held.checked_by == by and held.voucher_id is not None:
        return held.voucher_id
    _only_in(held, "waiting")
    lines = tuple(Line(*row) for row in await (await cx.execute(_LINES_OF, (number,))).fetchall())
    if held.kind != "red":
        await checks.coded(cx, held.fiscal_year, lines)
    entry = Entry(
        fiscal_year=held.fiscal_year,
        division=held.division,
        period=held.period,
        vou_date=held.vou_date,
        summary=held.summary,
        source=held.kind,
        source_id=held.id,
        undoes=held.undoes,
        lines=lines,
        made_by=held.made_by,
        checked_by=by,
    )
    (voucher,) = await entries.book(cx, [entry])
    await cx.execute(_BOOKED, (by, voucher, number))
    return voucher


async def lock(cx: AsyncConnection, number: int) -> Held:
    """The draft, held until the transaction ends.

    Raises:
        RefusedError: 404, there is none that the session sees.
    """
    async with cx.cursor(row_factory=class_row(Held)) as cursor:
        held = await (await cursor.execute(_LOCK, (number,))).fetchone()
    if held is None:
        raise RefusedError(f"没有待记账凭证 {number}", f"there is no draft {number}", 404)
    return held


async def known(cx: AsyncConnection, wanted: Wanted) -> int | None:
    """The draft that was asked for under this key before, if any.

    Raises:
        RefusedError: the key was used for another one.
    """
    row = await (await cx.execute(_BY_KEY, (wanted.division, wanted.idempotency_key))).fetchone()
    if row is None:
        return None
    if row[1] != wanted.digest():
        raise RefusedError(
            f"幂等键 {wanted.idempotency_key} 已用于另一张凭证,请换一个",
            f"the key {wanted.idempotency_key} was used for another voucher: choose a new one",
        )
    return int(row[0])


async def _check(cx: AsyncConnection, wanted: Wanted) -> None:
    checks.balanced(wanted.lines)
    checks.dated(wanted.fiscal_year, wanted.vou_date)
    if wanted.kind != "red":  # what was booked can be undone, whatever became of its codes
        await checks.coded(cx, wanted.fiscal_year, wanted.lines)
    await checks.takes(cx, PeriodKey(wanted.fiscal_year, wanted.division, wanted.period))


async def _write_lines(cx: AsyncConnection, number: int, wanted: Wanted) -> None:
    columns = _columns(wanted.lines)
    await cx.execute(_LINES, (number, wanted.fiscal_year, wanted.division, *columns))


def _columns(lines: Sequence[Line]) -> list[list[object]]:
    rows = [(n, x.account, x.item, x.agency_code, x.debit, x.credit) for n, x in enumerate(lines, 1)]
    return [list(column) for column in zip(*rows, strict=True)]


def _only_maker(held: Held, by: str) -> None:
    if held.made_by != by:
        raise RefusedError(
            f"只有编制人 {held.made_by} 可以修改或撤销它;复核人请退回",
            f"only its maker {held.made_by} changes or withdraws it; a checker returns it",
            403,
        )


def _never_maker(held: Held, by: str) -> None:
    if held.made_by == by:
        raise RefusedError(
            "编制人不能复核自己的凭证,请由他人复核", "its maker does not check it: ask somebody else to", 403
        )


_STATES: dict[State, tuple[str, str]] = {
    "waiting": ("待复核", "waiting"),
    "returned": ("已退回", "returned"),
    "booked": ("已记账", "booked"),
    "withdrawn": ("已撤销", "withdrawn"),
}


def _only_in(held: Held, *states: State) -> None:
    if held.state not in states:
        chinese, english = _STATES[held.state]
        raise RefusedError(
            f"凭证单 {held.id} {chinese},不能再做这一步;请重新读取",
            f"draft {held.id} is {english}: read it again",
        )
