"""推进情况: what the control node publishes is what the pages show, each reader his own divisions."""

import io
import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import psycopg
import pytest
from jincai import progress
from jincai.errors import ConfigurationError
from jincai.progress import Publication

from rollout.clock import SHANGHAI
from rollout.inventory import load
from rollout.progress import sheet as sheets
from rollout.progress.publication import publication
from rollout.progress.simulate import year

TAKEN = datetime(2026, 11, 1, 9, tzinfo=SHANGHAI)


@cache
def sent() -> str:
    """A document as the control node makes it, of an invented year."""
    inventory = load(Path("inventory/guangxi"))
    sites = list(inventory.sites.values())
    made = year(sheets.load(), sites, 20100101)
    document = publication(inventory, made.plan, made.sheets, TAKEN, simulated=True)
    return document.model_dump_json()


def changed(**values: object) -> io.BytesIO:
    return io.BytesIO(json.dumps(json.loads(sent()) | values).encode())


@pytest.fixture(autouse=True)
def empty(database) -> None:
    with psycopg.connect(database.owner) as cx:
        cx.execute("DELETE FROM jincai.rollout_progress")


def test_what_is_published_is_shown_whole_to_the_region(database, client, session) -> None:
    reader = {"Authorization": f"Bearer {session('rollout.read')}"}
    assert "尚无推进情况" in client.get("/rollout", headers=reader).text
    found = progress.load(database.owner, changed())
    assert len(found.sheets) == 15
    page = client.get("/rollout", headers=reader)
    assert page.status_code == 200
    assert "模拟数据" in page.text
    assert "2026-11-01 09:00" in page.text
    for one in found.sheets:
        assert f'href="/rollout/{one.site}"' in page.text
    assert sum(one.live is not None for one in found.sheets) == 11  # ten cities and the region
    live = next(one for one in found.sheets if one.live and one.place)
    assert live.due_fen >= 380_000_000
    sheet = client.get(f"/rollout/{live.site}", headers=reader).text
    assert all(part.title in sheet for part in live.parts)
    assert len(live.parts) == 51
    assert "1,600,000.00" in sheet
    assert client.get("/rollout/nowhere", headers=reader).status_code == 404


def test_a_city_sees_its_own_row_and_others_nothing(database, client, session) -> None:
    progress.load(database.owner, changed())
    city = {"Authorization": f"Bearer {session('rollout.read', divisions=('450100',))}"}
    page = client.get("/rollout", headers=city).text
    assert 'href="/rollout/nanning"' in page
    assert page.count('href="/rollout/') == 1
    assert client.get("/rollout/nanning", headers=city).status_code == 200
    assert client.get("/rollout/liuzhou", headers=city).status_code == 404
    for permissions in ((), ("payment.read",)):
        other = {"Authorization": f"Bearer {session(*permissions)}"}
        assert client.get("/rollout", headers=other).status_code == 403
    assert client.get("/rollout", follow_redirects=False).status_code in {303, 401}


def test_what_is_wrong_is_refused_and_what_was_there_stays(database, client, session) -> None:
    progress.load(database.owner, changed())
    old = (TAKEN - timedelta(seconds=1)).isoformat()
    far = (datetime.now(SHANGHAI) + timedelta(hours=1)).isoformat()
    first = json.loads(sent())["sheets"][0]
    for why, document in {
        "older than what is here": changed(taken_at=old),
        "no moment before now": changed(taken_at=far),
        "sheets.0.score": changed(sheets=[first | {"score": 101}]),
        "sheets.0.site": changed(sheets=[first | {"site": "../etc"}]),
        "more: Extra": changed(more=1),
        "not a publication": io.BytesIO(b"{"),
        "more than": io.BytesIO(b" " * (progress.DOCUMENT_MOST_BYTES + 1)),
    }.items():
        with pytest.raises(ConfigurationError, match=why):
            progress.load(database.owner, document)
    reader = {"Authorization": f"Bearer {session('rollout.read')}"}
    assert client.get("/rollout", headers=reader).text.count('href="/rollout/') == 15
    # The same again changes nothing; a newer one, with fewer sites, is all there is.
    progress.load(database.owner, changed())
    new = (TAKEN + timedelta(days=1)).isoformat()
    progress.load(database.owner, changed(taken_at=new, sheets=[first], simulated=False))
    page = client.get("/rollout", headers=reader).text
    assert page.count('href="/rollout/') == 1
    assert "模拟数据" not in page


def test_the_application_itself_cannot_write_it(database) -> None:
    with psycopg.connect(database.app) as cx, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cx.execute("DELETE FROM jincai.rollout_progress")


def test_both_programs_mean_the_same_document() -> None:
    assert json.loads(Publication.model_validate_json(sent()).model_dump_json()) == json.loads(sent())
