from datetime import datetime
from pathlib import Path

import pytest

from rollout import files
from rollout.apply import record as records
from rollout.audit import records as audit_records
from rollout.clock import SHANGHAI
from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.record import HostRecord, ManagedFile, SiteRecord
from tests.unit.test_apply_support import Local


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def a_record(run: str = "run-1", site: str = "yulin") -> SiteRecord:
    file = ManagedFile(sha256="a" * 64, mode="0644", owner="root", group="root")
    return SiteRecord(
        site=site,
        release="2026.1",
        serial=3,
        manifest_sha256="b" * 64,
        input_sha256="c" * 64,
        rollout_version="0.1.0",
        applied_at=datetime(2026, 3, 1, tzinfo=SHANGHAI),
        run=run,
        hosts={f"{site}-a": HostRecord(files={"/etc/a": file}, services={"etcd.service": True})},
    )


def test_saved_and_read_back_by_apply_and_by_the_audit(home: Home) -> None:
    assert records.load_record(home, "yulin") is None
    records.save(home, a_record())
    assert records.load_record(home, "yulin") == a_record()
    assert audit_records.read(home, "yulin") == a_record()


def test_another_control_node_reads_it_from_the_site(home: Home, tmp_path: Path) -> None:
    folder = str(tmp_path / "storage" / "records")
    records.save(home, a_record())
    records.copy(home, "yulin", Local(), folder)
    other = Home(tmp_path / "other")
    (other.keys / "report.gpg").write_bytes((home.keys / "report.gpg").read_bytes())
    assert records.load_record(other, "yulin") is None
    assert records.load_record(other, "yulin", Local(), folder) == a_record()
    assert records.load_record(other, "hezhou", Local(), folder) is None


def test_a_changed_record_is_refused_wherever_it_comes_from(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    records.save(home, a_record())
    records.copy(home, "yulin", Local(), str(folder))
    for place in (home.records, folder):
        file = place / "yulin.json"
        file.write_text(file.read_text().replace("0644", "0666"))
    with pytest.raises(VerificationError, match="changed after it was signed"):
        records.load_record(home, "yulin")
    (home.records / "yulin.json").unlink()
    with pytest.raises(VerificationError, match="changed after it was signed"):
        records.load_record(home, "yulin", Local(), str(folder))


def test_the_record_of_another_site_is_refused(home: Home) -> None:
    records.save(home, a_record(site="hezhou"))
    for name in ("json", "json.asc"):
        (home.records / f"hezhou.{name}").rename(home.records / f"yulin.{name}")
    with pytest.raises(VerificationError, match="this is the record of hezhou"):
        records.load_record(home, "yulin")


@pytest.mark.parametrize("cut", ["before the record", "after the record"])
def test_a_save_that_was_cut_short_is_mended(home: Home, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    records.save(home, a_record("old"))
    real = files.write

    def dying(path: Path, content: bytes, mode: int = 0o600) -> None:
        if path.name == "yulin.json":
            if cut == "after the record":
                real(path, content, mode)
            raise KeyboardInterrupt
        real(path, content, mode)

    monkeypatch.setattr(records, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        records.save(home, a_record("new"))
    monkeypatch.undo()
    said = records.mend(home, "yulin")
    found = audit_records.read(home, "yulin")
    assert found is not None
    assert found.run == ("new" if cut == "after the record" else "old")
    assert bool(said) == (cut == "after the record")
    assert records.mend(home, "yulin") is None
    assert sorted(file.name for file in home.records.iterdir()) == ["yulin.json", "yulin.json.asc"]


def test_a_tampered_record_is_set_aside_so_that_apply_can_go_on(home: Home) -> None:
    records.save(home, a_record())
    file = home.records / "yulin.json"
    file.write_text(file.read_text().replace("0644", "0666"))
    said = records.mend(home, "yulin")
    assert said is not None
    assert "set aside" in said
    assert records.load_record(home, "yulin") is None
    assert (home.records / "yulin.json.refused").exists()


def test_a_candidate_is_seen_by_the_audit_only(home: Home, tmp_path: Path) -> None:
    candidate = records.Candidate(home, tmp_path / "candidate")
    records.save(candidate, a_record())
    assert audit_records.read(candidate, "yulin") == a_record()
    assert audit_records.read(home, "yulin") is None
    assert candidate.keys == home.keys
