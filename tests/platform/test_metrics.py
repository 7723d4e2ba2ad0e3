from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families


def samples(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def test_requests_are_counted_by_route_not_by_address(client: TestClient) -> None:
    for code in ("450100", "450200", "459999"):
        client.get(f"/api/v1/standards/divisions/{code}")
    client.request("BREW", "/nowhere")
    found = samples(client)
    route = ("route", "/api/v1/standards/divisions/{code}")
    assert found["jincai_http_requests_total", (("method", "GET"), route, ("status", "200"))] == 2
    assert found["jincai_http_requests_total", (("method", "GET"), route, ("status", "404"))] == 1
    assert (
        found["jincai_http_requests_total", (("method", "OTHER"), ("route", "unmatched"), ("status", "404"))]
        == 1
    )


def test_versions_and_pools_are_told(client: TestClient) -> None:
    found = samples(client)
    (info,) = [labels for name, labels in found if name == "jincai_info"]
    assert dict(info) == {
        "jincai": "1.0.0",
        "budget": "1.0.0",
        "ledger": "1.0.0",
        "payment": "1.0.0",
        "release": "",
    }
    assert found["jincai_database_pool_size", (("pool", "requests"),)] >= 1
