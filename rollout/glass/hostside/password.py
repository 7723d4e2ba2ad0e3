"""Gives a database role a new password, by its verifier: the password itself never comes here."""

import subprocess
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What became of it.

    Args:
        question: ``role``; ``verifier``: as PostgreSQL keeps it (SCRAM-SHA-256$…).

    Returns:
        ``primary``: whether this host's server accepts writes, else nothing was done; ``code``, ``said``.
    """
    asked = _psql("SELECT pg_is_in_recovery()")
    if asked.returncode or asked.stdout.strip() != "f":
        return {"primary": False, "code": asked.returncode, "said": asked.stderr.strip()[-500:]}
    role, verifier = question["role"], question["verifier"]
    if not role.isidentifier() or "'" in verifier:
        return {"primary": True, "code": 2, "said": "not a role, or not a verifier"}
    # Over standard input, and not logged: a verifier is not a password, but nobody needs it either.
    done = _psql(
        "SET log_statement = 'none'; SET log_min_duration_statement = -1;"
        " SET log_min_error_statement = 'panic';\n"
        f"ALTER ROLE {role} PASSWORD '{verifier}';"
    )
    return {"primary": True, "code": done.returncode, "said": done.stderr.strip()[-500:]}


def _psql(statements: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "postgres"],
        input=statements,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
