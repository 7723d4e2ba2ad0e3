import psycopg
import pytest
from fastapi.testclient import TestClient

API = "/api/v1/standards/divisions"


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 156),
        ("level=province", 31),
        ("level=city", 14),
        ("level=county", 111),
        ("parent=450000", 14),
        ("parent=450100", 12),
        ("level=county&parent=450100&q=区", 7),
        ("q=自治县", 12),
        ("q=%25", 0),
        ("q=_", 0),
        ("year=1999", 0),
        ("year=2010&level=city", 14),
    ],
)
def test_filters(client: TestClient, query: str, total: int) -> None:
    assert client.get(f"{API}?{query}").json()["total"] == total


def test_the_cities_of_the_region_in_order(client: TestClient) -> None:
    items = client.get(API, params={"parent": "450000"}).json()["items"]
    assert [one["code"] for one in items] == [f"45{n:02}00" for n in range(1, 15)]
    assert items[0] == {
        "code": "450100",
        "fiscal_code": "450100000",
        "name": "南宁市",
        "level": "city",
        "parent": "450000",
        "valid_from_year": 2000,
        "valid_to_year": None,
    }


def test_pages_join_without_gap_or_double(client: TestClient) -> None:
    seen: list[str] = []
    for offset in range(0, 156, 60):
        page = client.get(API, params={"limit": 60, "offset": offset}).json()
        seen += [one["code"] for one in page["items"]]
    assert seen == sorted(set(seen))
    assert len(seen) == 156


@pytest.mark.parametrize("code", ["450100", "450100000"])
def test_one_division_by_either_code(client: TestClient, code: str) -> None:
    assert client.get(f"{API}/{code}").json()["name"] == "南宁市"


@pytest.mark.parametrize("path", ["459999", "459999000", "450100?year=1999"])
def test_a_division_that_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(f"{API}/{path}").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("level=region", "level"),
        ("parent=45", "parent"),
        ("parent=450100000", "parent"),
        ("q=", "q"),
        ("q=" + "长" * 31, "q"),
        ("q=%00", "q"),
        ("year=abc", "year"),
        ("year=99999", "year"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("parnet=450000", "parnet"),
    ],
)
def test_bad_input_names_its_field(client: TestClient, query: str, field: str) -> None:
    answer = client.get(f"{API}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("code", ["45010", "4501000001", "450100998", "abcdef", "%00", "０１２３４５"])
def test_a_bad_code_is_refused(client: TestClient, code: str) -> None:
    assert client.get(f"{API}/{code}").status_code == 422


def test_a_code_means_one_division_a_year(database) -> None:
    again = (
        "INSERT INTO standards.division (code, valid_from_year, name, level, parent)"
        " VALUES ('450100', 2015, '南宁市', 'city', '450000')"
    )
    with psycopg.connect(database.owner) as cx, pytest.raises(psycopg.errors.ExclusionViolation):
        cx.execute(again)


def test_a_renamed_division_is_asked_by_year(database, client: TestClient) -> None:
    with psycopg.connect(database.owner) as cx:
        cx.execute(
            "UPDATE standards.division SET valid_to_year = 2014, source = 'site' WHERE code = '450110'"
        )
        cx.execute(
            "INSERT INTO standards.division (code, valid_from_year, name, level, parent)"
            " VALUES ('450110', 2015, '新武鸣区', 'county', '450100')"
        )
    names = [client.get(f"{API}/450110?year={year}").json()["name"] for year in (2014, 2015)]
    assert names == ["武鸣区", "新武鸣区"]
