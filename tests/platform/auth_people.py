"""People for the tests of logging in."""

from collections.abc import Sequence

import psycopg
from fastapi.testclient import TestClient
from httpx import Response
from jincai.auth import accounts, passwords

PASSWORD = "a-password-of-some-length"
HTML = {"Accept": "text/html"}
# Made once: it takes a tenth of a second on purpose.
KEPT = passwords.hashed(PASSWORD)


def person(
    url: str,
    login: str,
    roles: Sequence[str] = ("budget_maker",),
    divisions: Sequence[str] = ("450100",),
    agencies: Sequence[str] = (),
) -> str:
    """An account with `PASSWORD`; its log-in name."""
    with psycopg.connect(url) as cx:
        granted = accounts.grants(roles, divisions, agencies)
        accounts.add(cx, login, login.title(), KEPT, granted, by="test")
    return login


def log_in(client: TestClient, login: str, password: str = PASSWORD, **more: str) -> Response:
    """What the log-in form is answered; the client keeps the cookie."""
    client.cookies.clear()
    return client.post(
        "/login",
        params=more,
        data={"login": login, "password": password},
        headers=HTML,
        follow_redirects=False,
    )
