"""What forms offer: indicators and quotas with something left, and codes in force."""

from jincai.language import Language
from jincai.money import yuan
from psycopg import AsyncConnection

from jincai_payment.words import PAY_TYPES

# A list that nobody can look through helps nobody: who has more names the number in the address.
OFFERED_MOST = 500

_INDICATORS = """
SELECT id, fiscal_year, indicator_no, agency_code, summary, amount - reserved - planned
  FROM budget.indicator
 WHERE amount > reserved + planned OR control_level < 2 OR id = %(also)s
 ORDER BY id = %(also)s DESC, fiscal_year DESC, division, indicator_no
 LIMIT %(most)s
"""
_QUOTAS = """
SELECT q.id, q.fiscal_year, q.agency_code, q.pay_type,
       q.exp_func_code || '/' || q.dep_exp_eco_code, q.granted - q.used
  FROM payment.quota AS q
 WHERE q.granted > q.used OR q.control_level < 2 OR q.id = %(also)s
 ORDER BY q.id = %(also)s DESC, q.fiscal_year DESC, q.division, q.agency_code, q.id
 LIMIT %(most)s
"""
_CODES = """
SELECT DISTINCT c.element, c.code, c.name
  FROM standards.in_force AS f
  JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
 WHERE c.element IN ('payee_kind', 'set_mode')
 ORDER BY 1, 2, 3
 LIMIT %(most)s
"""


async def indicators(cx: AsyncConnection, lang: Language, also: int = 0) -> dict[int, str]:
    """Indicators that the reader may plan under, with what is left; ``also`` one in any case."""
    rows = await (await cx.execute(_INDICATORS, {"also": also, "most": OFFERED_MOST})).fetchall()
    left = "可用" if lang == "zh" else "left"
    return {
        found: f"{year} · {agency} · {name} {summary} · {left} {yuan(available)}"
        for found, year, name, agency, summary, available in rows
    }


async def quotas(cx: AsyncConnection, lang: Language, also: int = 0) -> dict[int, str]:
    """Quotas that the reader may pay from, with what is left; ``also`` one in any case."""
    rows = await (await cx.execute(_QUOTAS, {"also": also, "most": OFFERED_MOST})).fetchall()
    place, left = (0, "可用") if lang == "zh" else (1, "left")
    return {
        found: f"{found} · {year} · {agency} · {PAY_TYPES[way][place]} · {item} · {left} {yuan(rest)}"
        for found, year, agency, way, item, rest in rows
    }


async def codes(cx: AsyncConnection) -> dict[str, list[tuple[str, str]]]:
    """Codes and names of payee kinds and ways to settle, by element."""
    found: dict[str, list[tuple[str, str]]] = {"payee_kind": [], "set_mode": []}
    for element, code, name in await (await cx.execute(_CODES, {"most": OFFERED_MOST})).fetchall():
        found[element].append((code, name))
    return found


def number(given: object) -> int:
    """The number that a form's field holds; 0 for none."""
    text = str(given)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
