"""Whether an application agrees with itself, its quota, what it undoes, and the year's codes."""

from jincai.standards import codes
from psycopg import AsyncConnection

from jincai_payment.application import Content
from jincai_payment.desk import DeskError

_QUOTA = "SELECT fiscal_year, division, agency_code FROM payment.quota WHERE id = %s"
_UNDONE = """
SELECT p.amount + coalesce((SELECT sum(u.amount) FROM payment.payment AS u WHERE u.undoes = p.id), 0)::bigint
  FROM payment.payment AS p
 WHERE p.id = %s AND p.quota_id = %s AND p.kind = 'payment'
"""
# Which of the elements the year's edition in force has at all.
_ELEMENTS = """
SELECT a.element
  FROM unnest(ARRAY['payee_kind', 'set_mode']) AS a (element)
 WHERE EXISTS (SELECT FROM standards.in_force AS f
                 JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
                WHERE f.fiscal_year = %s AND c.element = a.element)
"""


async def check(cx: AsyncConnection, asked: Content) -> tuple[int, str, str]:
    """Year, division and unit of the quota that ``asked`` names.

    Raises:
        DeskError: what is wrong, and in which field.
    """
    row = await (await cx.execute(_QUOTA, (asked.quota_id,))).fetchone()
    if row is None:
        raise DeskError(
            409,
            f"没有额度 {asked.quota_id},或您无权使用。请另选额度。",
            f"There is no quota {asked.quota_id} that you may use; choose another.",
            "quota_id",
        )
    place: tuple[int, str, str] = row
    _check_dates_and_signs(asked, place[0])
    await _check_undone(cx, asked)
    await _check_codes(cx, asked, place[0])
    return place


def _check_dates_and_signs(asked: Content, fiscal_year: int) -> None:
    if asked.pay_date.year != fiscal_year:
        raise DeskError(
            422,
            f"支付日期应在 {fiscal_year} 年度内。",
            f"The pay date must lie in the fiscal year {fiscal_year}.",
            "pay_date",
        )
    if (asked.kind == "payment") != (asked.undoes is None):
        raise DeskError(
            422,
            "退款和更正须注明原支付凭证号,支付不得注明。",
            "A refund or correction names the payment that it undoes; a payment names none.",
            "undoes",
        )
    if asked.amount == 0 or (asked.amount > 0) != (asked.kind == "payment"):
        raise DeskError(
            422,
            "支付金额须大于零;退款和更正的金额须小于零。",
            "A payment's amount is above zero; that of a refund or correction below.",
            "amount",
        )


async def _check_undone(cx: AsyncConnection, asked: Content) -> None:
    if asked.undoes is None:
        return
    row = await (await cx.execute(_UNDONE, (asked.undoes, asked.quota_id))).fetchone()
    if row is None:
        raise DeskError(
            409,
            f"该额度没有支付凭证 {asked.undoes}。",
            f"There is no payment {asked.undoes} of this quota.",
            "undoes",
        )
    if -asked.amount > row[0]:
        raise DeskError(
            409,
            "退款(更正)累计超过原支付金额。请减少金额。",
            "More would be undone than was paid; ask for less.",
            "amount",
        )


async def _check_codes(cx: AsyncConnection, asked: Content, fiscal_year: int) -> None:
    there = {row[0] for row in await (await cx.execute(_ELEMENTS, (fiscal_year,))).fetchall()}
    given = {"payee_kind": asked.payee_kind_code, "set_mode": asked.set_mode_code}
    pairs = [(element, code) for element, code in given.items() if element in there]
    for element, code in await codes.unknown(cx, fiscal_year, pairs):
        raise DeskError(
            422,
            f"{fiscal_year} 年度的标准中没有代码 {code}({element})。请选用标准中的代码。",
            f"The standards of {fiscal_year} have no code {code} ({element}); take one of theirs.",
            f"{element}_code",
        )
