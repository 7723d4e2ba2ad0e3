import datetime as dt
import os
import socket
from importlib import metadata
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from jincai import fingerprint, identity, migrate, plugins

SYSTEMS = {
    "budget": "部门预算管理",
    "ledger": "总会计核算",
    "payment": "国库集中支付管理",
}


def test_the_contract(client: TestClient) -> None:
    body = client.get("/version").json()
    schema = {"schema", "contracted", "replaced", "retired"}
    assert set(body) == {"platform", "systems", "environment_sha256", "release", "process"} | schema
    components = [body["platform"], *body["systems"]]
    for one in components:
        assert set(one) == {"code", "dist", "name", "edition", "version", "code_sha256"}
        assert len(bytes.fromhex(one["code_sha256"])) == 32
        assert one["version"] == metadata.version(one["dist"])
        assert one["edition"] == "standard"
    assert (body["platform"]["code"], body["platform"]["dist"]) == ("jincai", "jincai")
    assert {one["code"]: one["name"] for one in body["systems"]} == SYSTEMS
    assert [one["code"] for one in body["systems"]] == sorted(SYSTEMS)
    newest = migrate.newest(plugins.load())
    assert body["schema"] == {one["code"]: newest[one["dist"]] for one in components}


def test_the_process(client: TestClient) -> None:
    process = client.get("/version").json()["process"]
    assert (process["pid"], process["host"], process["instance"]) == (os.getpid(), socket.gethostname(), None)
    started = dt.datetime.fromisoformat(process["started_at"])
    assert started.utcoffset() == dt.timedelta(hours=8)


def test_the_release_comes_from_the_environment(database, serving) -> None:
    stated = {
        "release": "2026.1",
        "release_serial": 7,
        "release_manifest_sha256": "ab" * 32,
        "instance": "web-1",
    }
    with serving(database.app, **stated) as client:
        body = client.get("/version").json()
    assert body["release"] == {"name": "2026.1", "serial": 7, "manifest_sha256": "ab" * 32}
    assert body["process"]["instance"] == "web-1"


def test_an_unstated_release_is_null(client: TestClient) -> None:
    assert client.get("/version").json()["release"] == {"name": None, "serial": None, "manifest_sha256": None}


def test_it_tells_what_was_loaded_not_what_the_disk_says_now(
    database, serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jincai"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    monkeypatch.setattr(identity, "_package_folder", lambda _: folder)
    before = fingerprint.digest(fingerprint.of_folder(folder))
    with serving(database.app) as client:
        (folder / "a.py").write_text("2")
        assert client.get("/version").json()["platform"]["code_sha256"] == before
