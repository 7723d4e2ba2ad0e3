"""`jincai serve --demo`: rows to look at, marked as examples, and people to look at them as.

Only for a database that is nobody's books: the password is no secret.
"""

from collections.abc import Sequence

import psycopg

from jincai.auth import accounts, passwords, sessions
from jincai.auth.roles import ROLES
from jincai.system import System

DIVISION = "450100"
AGENCY = "101001"
PASSWORD = "jincai-demo-2026"  # noqa: S105 - stated, on purpose


def load(url: str, systems: Sequence[System]) -> None:
    """Run the demonstration file of each system; its rows have fixed keys, so again changes nothing."""
    with psycopg.connect(url) as cx:
        token = sessions.open_for_process(cx, "demonstration", (), seconds=60)
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
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
