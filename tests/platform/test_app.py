from fastapi.testclient import TestClient


def test_the_api_describes_itself(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert {
        "/healthz",
        "/version",
        "/metrics",
        "/api/v1/standards/divisions",
        "/api/v1/standards/divisions/{code}",
        "/api/v1/budget/indicators",
        "/api/v1/payment/payments",
        "/api/v1/payment/orders",
        "/api/v1/ledger/vouchers",
    } <= set(described["paths"])
    assert not {"/", "/standards/divisions", "/budget/indicators"} & set(described["paths"])
    answers = described["paths"]["/api/v1/standards/divisions"]["get"]["responses"]
    assert answers["422"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_nothing_is_loaded_from_elsewhere_to_describe_it(client: TestClient) -> None:
    assert [client.get(path).status_code for path in ("/docs", "/redoc")] == [404, 404]


def test_every_answer_tells_the_browser_what_it_may_do(client: TestClient) -> None:
    for path in ("/", "/version", "/nowhere", "/static/jincai.css"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
