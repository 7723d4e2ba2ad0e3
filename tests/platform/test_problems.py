import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from jincai import limits

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/api/v1/nowhere", 404, "not-found"),
        ("GET", "/static/nowhere.css", 404, "not-found"),
        ("GET", "/static/../app.py", 404, "not-found"),
        ("POST", "/version", 405, "method-not-allowed"),
        ("DELETE", "/api/v1/standards/divisions", 405, "method-not-allowed"),
        ("GET", "/api/v1/standards/divisions?limit=x", 422, "invalid"),
    ],
)
def test_every_error_is_a_problem_document(
    client: TestClient, method: str, path: str, status: int, kind: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    body = answer.json()
    assert (body["status"], body["type"]) == (status, f"urn:jincai:problem:{kind}")
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == path.partition("?")[0].replace("/static/..", "")


def test_405_says_what_is_allowed(client: TestClient) -> None:
    assert client.post("/version").headers["allow"] == "GET"


def test_an_unexpected_error_tells_nothing_of_itself(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/api/boom")
    async def boom() -> None:
        raise RuntimeError("a secret")

    answer = client.get("/api/boom")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "secret" not in answer.text


def test_too_large_a_body_is_refused_announced_or_not(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)

    @app.post("/api/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    large = b"x" * (limits.BODY_BYTES + 1)
    announced = client.post("/api/echo", content=large)
    chunked = client.post("/api/echo", content=iter([large[: len(large) // 2], large[len(large) // 2 :]]))
    fitting = client.post("/api/echo", content=large[:-1])
    assert [one.status_code for one in (announced, chunked, fitting)] == [413, 413, 200]
    assert announced.headers["content-type"] == chunked.headers["content-type"] == PROBLEM


def test_programs_choose_their_language_by_header(client: TestClient) -> None:
    path = "/api/v1/standards/divisions?limit=0"
    english = client.get(path, headers={"Accept-Language": "en-GB,en;q=0.9"}).json()
    assert english["errors"][0]["message"] == "must be at least 1"
    assert client.get(path).json()["errors"][0]["message"] == "不能小于 1"


def test_a_person_gets_a_page(client: TestClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert "<h1>没有找到</h1>" in answer.text


def test_a_problem_page_does_not_repeat_what_it_was_given_unescaped(clerk: TestClient) -> None:
    answer = clerk.get("/standards/divisions?<script>=1", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "<script>" not in answer.text
