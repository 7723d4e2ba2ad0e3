"""What tests of cases stand on: alerts of their own, people with a part each, and moving a case along."""

import datetime as dt
from itertools import count

import psycopg
from httpx import Response

from tests.platform.desk import Person

API = "/api/v1/monitor"
PDF = ("合同.pdf", b"%PDF-1.7 example", "application/pdf")
_subjects = count(5_000_001)


def alert(
    cx: psycopg.Connection,
    *,
    level: str = "orange",
    disposal: str = "warn",
    division: str = "450100",
    agency: str = "101001",
    subject: int | None = None,
    rule: str = "R2",
    shadow: bool = False,
) -> int:
    """A new alert; its id."""
    row = cx.execute(
        "INSERT INTO monitor.alert (fiscal_year, division, agency_code, subject, subject_id, as_of, amount,"
        " rule, version, edition, stage, level, disposal, shadow, found_by)"
        " VALUES (2010, %s, %s, 'payment', %s, %s, 6000000, %s, 1, 1, 'during', %s, %s, %s, 'posting')"
        " RETURNING id",
        (division, agency, subject or next(_subjects), dt.date(2010, 3, 5), rule, level, disposal, shadow),
    ).fetchone()
    assert row
    return int(row[0])


def taken(person: Person, alert_id: int) -> int:
    """The case of that alert."""
    answer = person.post(f"{API}/cases/take", {"alert_id": alert_id})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["case_id"])


def revision(person: Person, case_id: int) -> int:
    """Where the case stands."""
    return int(person.get(f"{API}/cases/{case_id}").json()["revision"])


def moved(person: Person, case_id: int, move: str, **more: object) -> Response:
    """One move of the office, at the revision it sees unless ``more`` names one."""
    seen = more.pop("revision", None) or revision(person, case_id)
    return person.post(f"{API}/cases/{case_id}/moves", {"move": move, "revision": seen, **more})


def answered(
    person: Person,
    case_id: int,
    move: str = "reply",
    text: str = "属实",
    *,
    files=(),
    seen: int | None = None,
) -> Response:
    """The unit's answer or report."""
    at = seen or person.get(f"{API}/inquiries/{case_id}").json().get("revision", 1)
    return person.client.post(
        f"{API}/inquiries/{case_id}",
        data={"move": move, "revision": at, "text": text},
        files=[("files", one) for one in files] or [("files", ("", b"", "application/octet-stream"))],
        headers=person.headers,
    )
