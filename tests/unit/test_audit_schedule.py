"""The units that audit by a timer."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rollout.audit import schedule
from rollout.errors import ConfigurationError


def plan(home: Path = Path("/var/lib/rollout"), when: str = "") -> schedule.Plan:
    return schedule.Plan(home, Path("/etc/rollout/inventory"), ["yulin", "hechi"], schedule.when(when))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
@pytest.mark.parametrize("when", ["", "02:30"])
def test_systemd_takes_the_units(tmp_path: Path, when: str) -> None:
    files = []
    for name, text in plan(when=when).units().items():
        (tmp_path / name).write_text(text)
        files.append(str(tmp_path / name))
    done = subprocess.run(
        ["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False, timeout=60
    )
    # It also complains of other units of the machine.
    assert not [line for line in done.stderr.splitlines() if schedule.NAME in line]


def test_the_service_keeps_the_report_of_the_sites_and_writes_only_at_home() -> None:
    service = plan().units()["rollout-audit.service"]
    assert "rollout audit --keep --site yulin --site hechi\n" in service
    assert "ProtectSystem=strict\nReadWritePaths=/var/lib/rollout\n" in service
    assert "OnCalendar=*-*-* 02:30:00\n" in plan(when="02:30").units()["rollout-audit.timer"]


@pytest.mark.parametrize("time", ["24:00", "2:30", "02:30:00", "noon", "02:30\n", "02:30\nOnCalendar=*"])
def test_what_is_no_time_of_day_is_refused(time: str) -> None:
    with pytest.raises(ConfigurationError, match="not a time of day"):
        schedule.when(time)


def test_a_path_that_a_unit_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot stand in a unit"):
        plan(home=Path("/srv/a b")).units()


def test_a_dry_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FOLDER", tmp_path)
    said = schedule.start(plan(), dry_run=True)
    assert "[Timer]" in said
    assert list(tmp_path.iterdir()) == []
    assert "no audit is scheduled here" in schedule.state()
    assert schedule.stop(dry_run=False) == "no audit is scheduled here"
