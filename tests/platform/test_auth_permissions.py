"""401 and 403: what is public is a short list, and everything else asks who is there."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from tests.platform.auth_people import HTML, log_in, person

PROBLEM = "application/problem+json"
# Not there without an identity provider.
SIGN_ON = {"/login/oidc", "/login/oidc/callback"}
PUBLIC = {
    "/",
    "/livez",
    "/healthz",
    "/version",
    "/metrics",
    "/login",
    "/login/oidc",
    "/login/oidc/callback",
    "/login/password",
    "/logout",
    "/api/v1/standards/divisions",
    "/api/v1/standards/divisions/{code}",
}


def below(router: APIRouter) -> Iterator[APIRoute]:
    for one in router.routes:
        if isinstance(one, APIRoute):
            yield one
        elif inner := getattr(one, "original_router", None):
            yield from below(inner)


def routes(client: TestClient) -> list[tuple[str, str]]:
    """Method and path of everything that answers."""
    app = client.app
    assert isinstance(app, FastAPI)
    return [(method, one.path) for one in below(app.router) for method in sorted(one.methods)]


def test_what_is_not_public_is_for_nobody(client: TestClient) -> None:
    asked = [(method, path) for method, path in routes(client) if path not in PUBLIC]
    assert {("POST", "/api/v1/payment/orders"), ("GET", "/standards/divisions")} <= set(asked)
    answers = {(method, path): client.request(method, path).status_code for method, path in asked}
    assert answers == dict.fromkeys(asked, 401)


def test_what_is_public_needs_nobody(client: TestClient) -> None:
    open_to_all = [path for path in PUBLIC - SIGN_ON if path != "/logout" and "{" not in path]
    for path in (*open_to_all, "/static/jincai.css", "/api/openapi.json"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("token", ["nonsense", "jincai_nonsense", "x" * 5000, "%00", ""])
def test_nobody_gets_a_problem_document(client: TestClient, token: str) -> None:
    answer = client.get("/api/v1/budget/indicators", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "尚未登录"
    assert answer.json()["type"] == "urn:jincai:problem:not-logged-in"


def test_who_lacks_a_permission_is_told_which(client: TestClient, session) -> None:
    headers = {"Authorization": f"Bearer {session('payment.read')}"}
    answer = client.post("/api/v1/payment/orders", headers=headers, json={})
    assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM)
    assert "payment.post" in answer.json()["detail"]
    english = client.post("/api/v1/payment/orders", headers=headers | {"Accept-Language": "en"}, json={})
    assert english.json()["detail"].startswith("Missing permission to post payments")


def test_a_page_needs_the_permission_to_read(client: TestClient, database) -> None:
    person(database.auth, "maker")
    log_in(client, "maker")
    assert client.get("/budget/indicators").status_code == 200
    refused = client.get("/ledger/vouchers", headers=HTML)
    assert refused.status_code == 403
    assert "ledger.read" in refused.text
    assert "maker" in refused.text  # who is logged in, on the page of a problem, too
    home = client.get("/").text
    client.cookies.clear()
    assert "/budget/indicators" in home
    assert "/ledger/vouchers" not in home


def test_nobody_sees_a_menu(client: TestClient) -> None:
    text = client.get("/").text
    assert "<nav" not in text
    assert 'href="/login"' in text


def test_before_the_migration_it_says_what_to_do(serving, empty_database) -> None:
    with serving(empty_database.app, auth_database_url=empty_database.auth) as client:
        answer = client.get("/api/v1/budget/indicators", headers={"Authorization": "Bearer x"})
        assert answer.status_code == 503
        assert "jincai migrate" in answer.json()["detail"]
