"""Changes of accounts as statements, each with its entry in the audit trail, for both kinds of connection."""

import re
from collections.abc import Sequence

from psycopg.types.json import Jsonb

from jincai.auth.roles import Granted

# What an identity provider calls a person (OpenID Connect Core, section 2).
SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")
# How long a password that was given for one log-in is good.
ONCE_DAYS = 3

ADD = """
WITH made AS (
    INSERT INTO auth.account (login, name, password_hash, password_once_until)
    VALUES (%(login)s, %(name)s, %(hash)s, clock_timestamp() + make_interval(days => %(once_days)s::integer))
    RETURNING id, login
), granted AS (
    INSERT INTO auth.role_grant (account_id, role, division, agency_code, granted_by)
    SELECT made.id, g.role, g.division, g.agency, %(by)s
      FROM made,
           unnest(%(roles)s::text[], %(divisions)s::text[], %(agencies)s::text[])
               AS g (role, division, agency)
), noted AS (
    INSERT INTO auth.change (actor, kind, account, why, detail)
    SELECT %(by)s, 'account_added', login, %(why)s, %(detail)s FROM made
)
SELECT count(*) FROM made
"""
SWITCH = """
WITH changed AS (
    UPDATE auth.account SET active = %(active)s, failed_attempts = 0, locked_until = NULL
     WHERE login = %(login)s
    RETURNING id, login
), closed AS (
    DELETE FROM auth.session WHERE account_id IN (SELECT id FROM changed)
), noted AS (
    INSERT INTO auth.change (actor, kind, account, why, detail)
    SELECT %(by)s, %(kind)s, login, %(why)s, %(detail)s FROM changed
)
SELECT count(*) FROM changed
"""
RENEW = """
WITH changed AS (
    UPDATE auth.account
       SET password_hash = %(hash)s, failed_attempts = 0, locked_until = NULL,
           password_once_until = clock_timestamp() + make_interval(days => %(once_days)s::integer)
     WHERE login = %(login)s
    RETURNING id, login
), closed AS (
    DELETE FROM auth.session WHERE account_id IN (SELECT id FROM changed)
), noted AS (
    INSERT INTO auth.change (actor, kind, account, why, detail)
    SELECT %(by)s, %(kind)s, login, %(why)s, %(detail)s FROM changed
)
SELECT count(*) FROM changed
"""
LINK = """
WITH changed AS (
    UPDATE auth.account SET oidc_subject = %(subject)s WHERE login = %(login)s RETURNING id, login
), closed AS (
    DELETE FROM auth.session WHERE account_id IN (SELECT id FROM changed)
), noted AS (
    INSERT INTO auth.change (actor, kind, account, why, detail)
    SELECT %(by)s, %(kind)s, login, %(why)s, %(detail)s FROM changed
)
SELECT count(*) FROM changed
"""


def adding(
    login: str,
    name: str,
    password_hash: str,
    granted: Sequence[Granted],
    *,
    by: str,
    why: str,
    once: bool = False,
) -> dict[str, object]:
    """What `ADD` needs; ``once``: the password is for one log-in, which chooses another."""
    columns: dict[str, list[str | None]] = {
        "roles": [one.role for one in granted],
        "divisions": [one.division for one in granted],
        "agencies": [one.agency for one in granted],
    }
    noted = {name: sorted({one or "*" for one in column}) for name, column in columns.items()}
    return {
        "login": login,
        "name": name,
        "hash": password_hash,
        "once_days": ONCE_DAYS if once else None,
        "by": by,
        "why": why,
        "detail": Jsonb({"name": name, **noted}),
        **columns,
    }


def switching(login: str, *, active: bool, by: str, why: str) -> dict[str, object]:
    """What `SWITCH` needs."""
    kind = "account_unlocked" if active else "account_locked"
    return {"login": login, "active": active, "kind": kind, "by": by, "why": why, "detail": Jsonb({})}


def renewing(login: str, password_hash: str, *, by: str, why: str, once: bool = False) -> dict[str, object]:
    """What `RENEW` needs; ``once`` as for `adding`."""
    return {
        "login": login,
        "hash": password_hash,
        "once_days": ONCE_DAYS if once else None,
        "kind": "password_set",
        "by": by,
        "why": why,
        "detail": Jsonb({"once": once}),
    }


def linking(login: str, subject: str | None, *, by: str, why: str) -> dict[str, object]:
    """What `LINK` needs; ``subject`` is what the identity provider calls the person, None: nothing."""
    detail = Jsonb({"subject": subject})
    return {
        "login": login,
        "subject": subject,
        "kind": "subject_set",
        "by": by,
        "why": why,
        "detail": detail,
    }
