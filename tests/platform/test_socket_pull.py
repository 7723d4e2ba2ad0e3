"""Pulling: kinds with their schemas; pages by cursor, stable, scoped, never past what may still appear."""

import jsonschema
import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import demonstration, plugins

from tests.platform.posting import make_quota, shown, token_for_all
from tests.platform.socket_books import DOCUMENTS, KINDS, new_key, order, publish_codes, push

BOOKS = {"fiscal_year": 2010, "division": "450100"}


@pytest.fixture(scope="module")
def puller(database, client: TestClient) -> TestClient:
    publish_codes(database.owner)
    demonstration.load(database.owner, plugins.load())
    client.headers.update(
        {"Authorization": f"Bearer {new_key(database.auth, '示例软件')}", "Accept-Language": "en"}
    )
    with shown(database.app, token_for_all(database.owner)) as cx:
        quota = make_quota(cx, 1_000)
    pushed = push(*(order(quota, amount=n + 1) for n in range(7)))
    assert client.post(DOCUMENTS, json=pushed).status_code == 200
    return client


def walk(client: TestClient, kind: str, limit: int, **books: object) -> list[dict]:
    found: list[dict] = []
    after = 0
    while True:
        page = client.get(
            DOCUMENTS, params={"kind": kind, **BOOKS, **books, "after": after, "limit": limit}
        ).json()
        found += page["items"]
        after = page["next"]
        if not page["more"]:
            return found


def test_kinds_say_what_may_be_pushed_and_pulled(puller: TestClient) -> None:
    found = {one["kind"]: one for one in puller.get(KINDS).json()["kinds"]}
    offered = {kind: (bool(one["push"]), bool(one["pull"])) for kind, one in found.items()}
    assert offered["payment_order"] == (True, False)
    assert offered["payment"] == offered["indicator"] == offered["voucher"] == (False, True)
    assert found["payment_order"]["push"]["schema"]["properties"]["amount"]["type"] == "integer"


def test_kinds_are_not_for_everybody(client: TestClient, session) -> None:
    bearer = {"Authorization": f"Bearer {session('payment.read')}"}
    assert client.get(KINDS, headers=bearer).status_code == 403
    assert client.get(KINDS, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("kind", ["payment", "voucher"])
def test_pages_of_any_size_give_the_same(puller: TestClient, kind: str) -> None:
    whole = walk(puller, kind, 1000)
    ids = [one["id"] for one in whole]
    assert len(ids) == 7
    assert ids == sorted(set(ids))
    assert walk(puller, kind, 1) == walk(puller, kind, 3) == whole


@pytest.mark.parametrize(("kind", "year"), [("payment", 2010), ("voucher", 2016), ("indicator", 2016)])
def test_documents_agree_with_their_schema(puller: TestClient, kind: str, year: int) -> None:
    schemas = {one["kind"]: one["pull"] for one in puller.get(KINDS).json()["kinds"]}
    found = walk(puller, kind, 100, fiscal_year=year)
    assert found
    for one in found:
        jsonschema.validate(one["document"], schemas[kind]["schema"])


INSERT = """
    INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code,
                                  fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount)
    VALUES (2011, %s, %s, '101001', '1', '1', '2010301', '30201', '示例', 100)
"""


def test_what_is_being_changed_is_not_passed_over(puller: TestClient, database) -> None:
    token = token_for_all(database.owner)
    with psycopg.connect(database.app) as early, shown(database.app, token) as late:
        early.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        for number in ("B-1", "B-2"):
            late.execute(INSERT, ("450102", number))
        early.execute(INSERT, ("450103", "B-3"))
        late.execute("UPDATE budget.indicator SET summary = '改' WHERE indicator_no = 'B-1'")
        assert walk(puller, "indicator", 10, fiscal_year=2011, division="450102") == []
        early.rollback()
        found = walk(puller, "indicator", 10, fiscal_year=2011, division="450102")
    assert [one["document"]["summary"] for one in found] == ["改", "示例"]


def test_what_is_not_committed_holds_back_what_comes_after_it(puller: TestClient, database) -> None:
    token = token_for_all(database.owner)
    with psycopg.connect(database.app) as early, shown(database.app, token) as late:
        early.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        early.execute(INSERT, ("450100", "A-1"))
        late.execute(INSERT, ("450100", "A-2"))
        assert walk(puller, "indicator", 10, fiscal_year=2011) == []
        early.commit()
        found = walk(puller, "indicator", 10, fiscal_year=2011)
    assert [one["document"]["indicator_no"] for one in found] == ["A-1", "A-2"]


def test_another_division_is_not_seen(puller: TestClient, database) -> None:
    with shown(database.app, token_for_all(database.owner)) as cx:
        make_quota(cx, 1_000, division="450200")
    assert walk(puller, "payment", 10, division="450200") == []


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"kind": "unheard_of"}, 404),
        ({"kind": "payment_order"}, 404),
        ({"kind": "';--"}, 422),
        ({"limit": 1001}, 422),
        ({"limit": 0}, 422),
        ({"after": -1}, 422),
        ({"after": 2**63}, 422),
        ({"fiscal_year": "x"}, 422),
        ({"division": "45"}, 422),
        ({"page": 1}, 422),
    ],
)
def test_a_wrong_question_is_refused(puller: TestClient, wrong: dict, status: int) -> None:
    answer = puller.get(DOCUMENTS, params={"kind": "payment", **BOOKS, **wrong})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_kinds_own_permission_is_needed(client: TestClient, session) -> None:
    asked = {"kind": "voucher", **BOOKS}
    for some in (["socket.pull", "payment.read"], ["ledger.read"]):
        bearer = {"Authorization": f"Bearer {session(*some)}"}
        assert client.get(DOCUMENTS, params=asked, headers=bearer).status_code == 403
