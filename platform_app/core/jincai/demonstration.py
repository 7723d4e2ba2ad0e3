"""`jincai serve --demo`: rows to look at, marked as examples, and people to look at them as.

Only for a database that is nobody's books: the password is no secret.
"""

import secrets
from collections.abc import Sequence

import psycopg

from jincai.auth import accounts, keys, passwords, sessions
from jincai.auth.roles import ROLES
from jincai.paging import this_year
from jincai.system import Companion, System

DIVISION = "450100"
AGENCY = "101001"
PASSWORD = "jincai-demo-2026"  # noqa: S105 - stated, on purpose
UNITS = {"101001": "示例:市机关事务局", "205001": "示例:市教育局", "214001": "示例:市交通运输局"}

# The next edition of this year: what the release ships, and the example units.
_EDITION = """
WITH shipped AS (
    SELECT fiscal_year, edition FROM standards.in_force WHERE fiscal_year = %(year)s AND edition = 1
), made AS (
    INSERT INTO standards.edition (fiscal_year, number, note, made_by, based_on)
    SELECT fiscal_year, 2, '示例单位', '示例', 1 FROM shipped
    RETURNING fiscal_year, number
), copied AS (
    INSERT INTO standards.code (fiscal_year, edition, element, code, name, parent, attributes)
    SELECT c.fiscal_year, m.number, c.element, c.code, c.name, c.parent, c.attributes
      FROM standards.code AS c JOIN made AS m USING (fiscal_year)
     WHERE c.edition = 1
)
INSERT INTO standards.code (fiscal_year, edition, element, code, name, attributes)
SELECT m.fiscal_year, m.number, 'agency', u.code, u.name, jsonb_build_object('division', %(division)s::text)
  FROM made AS m, unnest(%(codes)s::text[], %(names)s::text[]) AS u (code, name)
"""
_PUBLISH = """
UPDATE standards.edition
   SET state = 'published', published_by = '示例发布', published_at = clock_timestamp()
 WHERE fiscal_year = %s AND number = 2 AND made_by = '示例' AND state = 'draft'
"""


def load(url: str, systems: Sequence[System]) -> None:
    """Run the demonstration file of each system; its rows have fixed keys, so again changes nothing."""
    with psycopg.connect(url) as cx:
        token = sessions.open_for_process(cx, "demonstration", (), seconds=60)
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
        year = this_year()
        units = {"codes": list(UNITS), "names": list(UNITS.values())}
        cx.execute(_EDITION, {"year": year, "division": DIVISION, **units})
        cx.execute(_PUBLISH, (year,))
        for system in systems:
            if system.demonstration:
                cx.execute(system.demonstration.read_bytes())


def add_people(url: str) -> tuple[str, ...]:
    """One account for each role, called like it, with `PASSWORD`; those that are there stay as they are."""
    with psycopg.connect(url) as cx:
        there = {one.login for one in accounts.every(cx)}
        missing = [code for code in ROLES if code not in there]
        kept = passwords.hashed(PASSWORD) if missing else ""
        for code in missing:
            agencies = [AGENCY] if ROLES[code].duty == "unit" else []
            granted = accounts.grants([code], [DIVISION], agencies)
            accounts.add(cx, code, f"演示:{ROLES[code].title}", kept, granted, by="jincai serve --demo")
    return tuple(ROLES)


def add_key(url: str, companion: Companion) -> str:
    """A key for an outside system that is demonstrated beside the platform, for a day."""
    with psycopg.connect(url) as cx:
        # The name up to "@" says who it is; each start has a key of its own.
        name = f"{companion.name}@{secrets.token_hex(4)}"
        by = "jincai serve --demo"
        return keys.add(cx, name, companion.permissions, divisions=[DIVISION], days=1, by=by)
