"""Every role × every route: `authorisation.csv` is the table, and the running application agrees with it.

A route that is new, or whose permission changed, fails here until its row says who may.
"""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from jincai.auth.roles import ROLES

from tests.platform.test_auth_permissions import PUBLIC, routes

TABLE = Path(__file__).with_name("authorisation.csv")
EVERYBODY = "anybody logged in"
# Notes that whoever reads keeps for themselves; no business is done with them.
OWN_NOTES = ("/api/v1/payment/search/saved", "/payment/search/saved")
# What ends the session that asks.
NOT_ASKED = {"/logout", "/login"}


def stated() -> dict[tuple[str, str], str]:
    """Method and path → roles that may, in the order of `ROLES`."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["method"], row["path"]): row["roles"] for row in csv.DictReader(file)}


def found(client: TestClient, session: Callable[..., str]) -> dict[tuple[str, str], str]:
    """The same, as the application answers."""
    tokens = {code: session(*role.permissions, divisions=["450100"]) for code, role in ROLES.items()}
    may: dict[tuple[str, str], str] = {}
    for method, path in sorted(routes(client), key=lambda one: (one[1], one[0])):
        if path in PUBLIC | NOT_ASKED:
            continue
        allowed = [code for code, token in tokens.items() if answers(client, token, method, path)]
        may[method, path] = EVERYBODY if len(allowed) == len(ROLES) else " ".join(allowed)
    return may


def answers(client: TestClient, token: str, method: str, path: str) -> bool:
    """Whether the route lets the session in, whatever it then says of a request without content."""
    url = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
    answer = client.request(method, url, headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)
    assert answer.status_code < 500, f"{method} {path}: {answer.text}"
    assert answer.status_code != 401
    return answer.status_code != 403


def test_every_route_lets_in_whom_the_table_names(client: TestClient, session) -> None:
    actual = found(client, session)
    if os.environ.get("WRITE_AUTHORISATION"):
        lines = [f"{method},{path},{roles}\n" for (method, path), roles in actual.items()]
        TABLE.write_text("".join(["method,path,roles\n", *lines]), encoding="utf-8")
    assert actual == stated()


def test_the_table_keeps_duties_apart() -> None:
    for (method, path), roles in stated().items():
        if method == "GET" or roles == EVERYBODY or path.startswith(OWN_NOTES):
            continue
        named = [ROLES[code] for code in roles.split()]
        assert named, f"nobody may {method} {path}"
        business = [one for one in named if not one.administers]
        assert not (business and len(business) < len(named)), f"{path}: an administrator does business"
        assert all(one.duty != "reader" for one in named), f"{path}: a reader writes"


@pytest.mark.parametrize("role", ["system_admin", "security_admin"])
def test_who_runs_the_platform_sees_no_books(role: str) -> None:
    for (_, path), roles in stated().items():
        books = path.split("/")[1] in {"budget", "payment", "ledger"} or path.startswith(
            ("/api/v1/budget", "/api/v1/payment", "/api/v1/ledger")
        )
        assert not (books and role in roles.split()), path
