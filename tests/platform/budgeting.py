"""What tests of the budget stand on: an edition of the standards, people, and a proposal led step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
from fastapi.testclient import TestClient
from httpx import Response

YEAR = 2030
DIVISION = "450100"
CODES = {
    "bgt_type": ("1", "2"),
    "fund_type": ("1", "2"),
    "exp_func": ("2010301", "2050202"),
    "dep_exp_eco": ("30201", "30211", "31001"),
}
PERMISSIONS = {
    "unit": ("budget.read", "budget.submit"),
    "maker": ("budget.read", "budget.draft"),
    "checker": ("budget.read", "budget.approve"),
}
API = "/api/v1/budget"
_units = count(1)
_keys = count(1)


def publish(owner: str, *years: int, agencies: dict[str, str] | None = None) -> None:
    """A published edition for each of ``years``; ``agencies``: code → division."""
    with psycopg.connect(owner) as cx:
        for year in years:
            number = cx.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM standards.edition WHERE fiscal_year = %s", (year,)
            ).fetchone()
            assert number
            cx.execute(
                "INSERT INTO standards.edition (fiscal_year, number, made_by) VALUES (%s, %s, 'test')",
                (year, number[0]),
            )
            rows = [(element, code, "{}") for element, codes in CODES.items() for code in codes]
            rows += [
                ("agency", code, f'{{"division": "{division}"}}')
                for code, division in (agencies or {}).items()
            ]
            for element, code, attributes in rows:
                cx.execute(
                    "INSERT INTO standards.code (fiscal_year, edition, element, code, name, attributes)"
                    " VALUES (%s, %s, %s, %s, %s, %s)",
                    (year, number[0], element, code, f"示例{code}", attributes),
                )
            cx.execute(
                "UPDATE standards.edition SET state = 'published', published_by = 'other',"
                " published_at = now()"
                " WHERE (fiscal_year, number) = (%s, %s)",
                (year, number[0]),
            )


def new_unit() -> str:
    """A unit that no other test budgets for."""
    return f"9{next(_units):05}"


def new_key() -> str:
    """An idempotency key used nowhere else."""
    return f"budget-key-{next(_keys):06}"


def line(amount: int, **more: object) -> dict[str, object]:
    """A line of a proposal; ``amount`` in fen."""
    return {
        "bgt_type_code": "1",
        "fund_type_code": "1",
        "exp_func_code": "2010301",
        "dep_exp_eco_code": "30201",
        "project_code": "",
        "summary": "办公费",
        "amount": amount,
        **more,
    }


@dataclass
class Office:
    """People who work on one unit's budget, by name; each asks with a session of their own."""

    client: TestClient
    session: Callable[..., str]
    agency: str = field(default_factory=new_unit)
    year: int = YEAR
    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, who: str) -> dict[str, str]:
        """``who`` is a duty, or duty and name as in ``checker:li``."""
        if who not in self.tokens:
            duty = who.partition(":")[0]
            agencies = (self.agency,) if duty == "unit" else None
            self.tokens[who] = self.session(
                *PERMISSIONS[duty], divisions=(DIVISION,), agencies=agencies, actor=who
            )
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def get(self, who: str, path: str, **params: object) -> Any:
        answer = self.client.get(f"{API}{path}", params=params, headers=self.headers(who))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, who: str, path: str, **body: object) -> Response:
        return self.client.post(f"{API}{path}", json=body, headers=self.headers(who))

    def create(self, who: str = "unit") -> int:
        books = {"fiscal_year": self.year, "division": DIVISION, "agency_code": self.agency}
        answer = self.post(who, "/proposals", **books)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def put(self, who: str, number: int, stage: str, *lines: dict[str, object]) -> Response:
        return self.client.put(
            f"{API}/proposals/{number}/lines",
            json={"stage": stage, "lines": list(lines)},
            headers=self.headers(who),
        )

    def step(self, who: str, number: int, kind: str, **more: object) -> Response:
        """The step, as seen from the proposal's present state."""
        seen = self.get(who, f"/proposals/{number}")["proposal"]["seen"]
        return self.post(who, f"/proposals/{number}/{kind}", **{"seen": seen, **more})

    def done(self, who: str, number: int, kind: str, **more: object) -> Any:
        answer = self.step(who, number, kind, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def approved(self, *lines: dict[str, object]) -> list[Any]:
        """The indicators of a proposal with ``lines``, led through all stages."""
        number = self.create()
        assert self.put("unit", number, "first", *lines).status_code == 200
        for who, kind in (("unit", "submit"), ("maker", "issue"), ("unit", "submit"), ("checker", "approve")):
            self.done(who, number, kind)
        return self.indicators()

    def indicators(self, year: int | None = None) -> list[Any]:
        """The unit's indicators of a year, by number."""
        found = self.get("unit", "/indicators", fiscal_year=year or self.year, division=DIVISION)
        return [self.get("unit", f"/indicators/{one['id']}") for one in found["items"]]

    def ask(self, who: str, **asked: object) -> Response:
        return self.post(who, "/change-requests", **{"idempotency_key": new_key(), "reason": "测试", **asked})
