"""What the desk's tests stand on: indicators of their own, people with a part each, and asking as them."""

from itertools import count

import psycopg
from fastapi.testclient import TestClient
from httpx import Response

API = "/api/v1/payment"
YEAR = 2010
_numbers = count(1)


def key() -> str:
    """A key nobody used."""
    return f"desk-key-{next(_numbers):08}"


def make_indicator(
    cx: psycopg.Connection,
    amount: int = 1_000_000,
    *,
    division: str = "450100",
    agency: str = "101001",
    level: int = 2,
) -> int:
    """A new indicator; its id."""
    row = cx.execute(
        """
        INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code,
                                      fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount,
                                      control_level)
        VALUES (2010, %s, %s, %s, '1', '1', '2010301', '30201', '行政运行', %s, %s)
        RETURNING id
        """,
        (division, f"desk-{next(_numbers)}", agency, amount, level),
    ).fetchone()
    assert row
    return int(row[0])


class Person:
    """Somebody with permissions, who asks the application."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **params: object) -> Response:
        return self.client.get(path, params=params, headers=self.headers)  # type: ignore[arg-type]

    def post(self, path: str, body: object) -> Response:
        return self.client.post(path, json=body, headers=self.headers)

    def put(self, path: str, body: object) -> Response:
        return self.client.put(path, json=body, headers=self.headers)

    def form(self, path: str, **fields: object) -> Response:
        """What a browser sends and is answered."""
        headers = self.headers | {"Accept": "text/html"}
        return self.client.post(path, data=fields, headers=headers, follow_redirects=False)

    def page(self, path: str) -> Response:
        return self.client.get(path, headers=self.headers | {"Accept": "text/html"})


def plan(indicator: int, amount: int = 100_000, **more: object) -> dict[str, object]:
    """What a unit asks for."""
    return {
        "idempotency_key": key(),
        "indicator_id": indicator,
        "month": 3,
        "pay_type": "direct",
        "amount": amount,
        **more,
    }


def submitted(unit: Person, indicator: int, amount: int = 100_000, **more: object) -> int:
    """The id of a submitted plan."""
    answer = unit.post(f"{API}/plans", plan(indicator, amount, **more))
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def application(quota: int, **more: object) -> dict[str, object]:
    """What a unit writes."""
    return {
        "idempotency_key": key(),
        "quota_id": quota,
        "amount": 4_000,
        "pay_date": "2010-03-05",
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "payee_bank": "示例银行",
        "purpose": "办公用品采购",
        **more,
    }


def written(unit: Person, quota: int, **more: object) -> int:
    """The id of a draft."""
    answer = unit.post(f"{API}/applications", application(quota, **more))
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def step(person: Person, name: str, *ids: int, reason: str = "") -> Response:
    """One step of applications."""
    body: dict[str, object] = {"ids": list(ids)} | ({"reason": reason} if reason else {})
    return person.post(f"{API}/applications/{name}", body)


def reviewed(unit: Person, reviewer: Person, quota: int, **more: object) -> int:
    """The id of an application that waits to be signed."""
    number = written(unit, quota, **more)
    assert step(unit, "submit", number).status_code == 200
    answer = step(reviewer, "review", number)
    assert answer.status_code == 200, answer.text
    return number
