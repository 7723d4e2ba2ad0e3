"""The report as JSON, as signed evidence, as a page, on a terminal."""

import io
import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from rollout.audit import actions, chinese, page, reports, terminal
from rollout.audit.audit import host_report
from rollout.audit.facts import HostFacts, Unreachable
from rollout.audit.findings import AuditReport, Finding, HostReport
from rollout.audit.running import clock_notes
from rollout.audit.waivers import Waivers
from rollout.errors import ConfigurationError, Exit, VerificationError
from rollout.paths import Home
from tests.unit import audit_samples as sample
from tests.unit.test_audit_waivers import DAY

gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not on this machine")
TITLES = {"nanning": "南宁市"}


def report(*findings: Finding, reachable: bool = True) -> AuditReport:
    summary: dict[str, int] = {}
    for finding in findings:
        summary[finding.kind] = summary.get(finding.kind, 0) + 1
    right = host_report(sample.expectation("b"), HostFacts.model_validate(sample.raw("b")), Waivers([], DAY))
    wrong = HostReport(
        host="nanning-a",
        site="nanning",
        reachable=reachable,
        checked=right.checked if reachable else {},
        running=right.running if reachable else {},
        findings=list(findings),
    )
    return AuditReport(
        release="2026.1",
        serial=3,
        manifest_sha256=sample.BUILD.sha256,
        inventory_sha256=sample.sha("inventory"),
        rollout_version="0.1.0",
        taken_at=datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=8))),
        uniform=reachable and set(summary) <= {"waived"},
        summary=summary,
        hosts=[wrong, right],
    )


def finding(kind: str, component: str = "haproxy", action: str = actions.INSTALL) -> Finding:
    return Finding(component=component, kind=kind, expected="2.6", found="2.5", action=action)


def test_what_a_right_host_runs_and_what_was_checked() -> None:
    right = host_report(sample.expectation(), HostFacts.model_validate(sample.raw()), Waivers([], DAY))
    assert right.findings == []
    assert right.running == {
        "etcd": "3.4.23",
        "haproxy": "2.6.12-1+deb12u3",
        "jincai": "1.0.0",
        "jincai-budget": "1.0.0",
        "kernel": "6.1.0-37-amd64",
        "patroni": "3.0.2",
        "postgresql": "15.14-0+deb12u1",
        "release": "2026.1 serial 3",
    }
    assert right.checked["package"] == 6
    assert right.checked["managed_file"] == 6
    assert right.checked["service"] == 4
    assert right.checked["dist"] == 3
    assert right.checked["python_file"] > 8


def test_instances_that_differ_are_all_named() -> None:
    said = sample.raw()
    said["units"]["jincai@2.service"] = sample.unit("jincai@2.service")
    other = sample.version()
    other["platform"]["version"] = "1.1.0"
    said["answers"]["jincai@2.service"] = other
    seen = host_report(sample.expectation(), HostFacts.model_validate(said), Waivers([], DAY))
    assert seen.running["jincai"] == "1.0.0, 1.1.0"
    assert ("jincai in jincai@2.service", "ahead") in {(f.component, f.kind) for f in seen.findings}


def test_an_unreachable_host_is_never_uniform() -> None:
    seen = host_report(sample.expectation(), Unreachable(reason="x"), Waivers([], DAY))
    assert (seen.reachable, seen.checked, seen.running) == (False, {}, {})
    assert [f.kind for f in seen.findings] == ["unreachable"]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (report(), Exit.OK),
        (report(finding("waived")), Exit.OK),
        (report(finding("behind")), Exit.FINDINGS),
        (report(finding("unreachable"), reachable=False), Exit.UNREACHABLE),
        (report(finding("behind"), finding("unreachable")), Exit.UNREACHABLE),
    ],
)
def test_exit_codes(made: AuditReport, code: Exit) -> None:
    assert reports.exit_code(made) is code


def test_the_json_is_the_fixed_contract() -> None:
    document = json.loads(reports.text(report(finding("behind"))))
    assert {
        "release",
        "serial",
        "manifest_sha256",
        "inventory_sha256",
        "rollout_version",
        "taken_at",
        "uniform",
        "summary",
        "hosts",
    } <= document.keys()
    assert document["taken_at"] == "2026-11-24T09:30:00+08:00"
    host = document["hosts"][0]
    assert host.keys() == {"host", "site", "reachable", "checked", "running", "findings"}
    assert host["findings"][0].keys() == {"component", "kind", "expected", "found", "action"}


@gpg
def test_a_signed_report_stands_on_its_own(tmp_path: Path) -> None:
    home, file = Home(tmp_path / "home"), tmp_path / "audit.json"
    made = report(finding("behind"))
    reports.write_signed(home, made, file)
    assert reports.read_verified(file, home.keys / "report.gpg") == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.json", "audit.json.asc", "home"]


@gpg
def test_a_changed_report_is_refused(tmp_path: Path) -> None:
    home, file = Home(tmp_path / "home"), tmp_path / "audit.json"
    reports.write_signed(home, report(finding("behind")), file)
    key = home.keys / "report.gpg"
    file.write_text(file.read_text().replace('"uniform": false', '"uniform": true'))
    with pytest.raises(VerificationError, match="changed after it was signed"):
        reports.read_verified(file, key)


@gpg
def test_another_key_a_missing_signature_and_a_missing_file_are_named(tmp_path: Path) -> None:
    home, other, file = Home(tmp_path / "home"), Home(tmp_path / "other"), tmp_path / "audit.json"
    reports.write_signed(home, report(), file)
    reports.write_signed(other, report(), tmp_path / "else.json")
    with pytest.raises(VerificationError, match="signed by another key"):
        reports.read_verified(file, other.keys / "report.gpg")
    (tmp_path / "audit.json.asc").unlink()
    with pytest.raises(VerificationError, match=r"audit\.json\.asc"):
        reports.read_verified(file, home.keys / "report.gpg")
    with pytest.raises(VerificationError, match=r"none\.json"):
        reports.read_verified(tmp_path / "none.json", home.keys / "report.gpg")


def test_a_place_that_cannot_be_written_is_refused_first(tmp_path: Path) -> None:
    reports.check_writable(tmp_path / "new.json")
    for file in (tmp_path, tmp_path / "no folder" / "x.json"):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            reports.check_writable(file)


def test_the_page_has_both_languages_and_loads_nothing() -> None:
    made = report(
        finding("behind", "<script>alert(1)</script>"), finding("modified", "/etc/x", actions.REWRITE)
    )
    html = page.render(made, TITLES)
    for text in (
        "不一致：2 项",
        "Not uniform: 2 findings",
        "南宁市",
        "apply 将重新写入",
        sample.BUILD.sha256,
    ):
        assert text in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http://" not in html
    assert "https://" not in html
    assert reports.sha256(made) in html


def test_a_uniform_page_says_so() -> None:
    html = page.render(report(), TITLES)
    assert "全部一致" in html
    assert "All 2 hosts run release 2026.1, serial 3" in html


def test_a_page_of_nothing_but_unreachable_hosts() -> None:
    made = report(finding("unreachable"), reachable=False)
    html = page.render(made.model_copy(update={"hosts": made.hosts[:1]}), {})
    assert "0/1" in html


def shown(made: AuditReport) -> str:
    console = Console(file=io.StringIO(), width=140, no_color=True)
    terminal.show(made, console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_terminal_says_uniform_last() -> None:
    assert shown(report()).strip().splitlines()[-1].startswith("uniform: 2 hosts run 2026.1 serial 3")
    assert "1 waived" in shown(report(finding("waived"))).strip().splitlines()[-1]


def test_the_terminal_counts_what_is_wrong() -> None:
    text = shown(report(*(finding("missing", f"package{n:02}") for n in range(20)), finding("behind")))
    assert text.strip().splitlines()[-1].startswith("not uniform: 20 missing, 1 behind on 2 hosts")
    assert "20: package00, package01" in text
    assert "and 12 more" in text
    assert "haproxy: expected 2.6, found 2.5" in text


def test_every_action_has_its_chinese() -> None:
    sentences = {value for name, value in vars(actions).items() if name.isupper()}
    for sentence in sentences:
        assert chinese.say(sentence) != sentence
    assert chinese.say("waived until 2026-12-31 by 李四: x") == "豁免至 2026-12-31，批准人 李四：x"
    assert chinese.say("2.6.12-1") == "2.6.12-1"


def test_a_wrong_clock_is_noted() -> None:
    said = sample.raw()
    right = HostFacts.model_validate({**said, "received": said["machine"]["clock"] + 2})
    wrong = HostFacts.model_validate({**said, "received": said["machine"]["clock"] + 3600})
    notes = clock_notes({"nanning-a": right, "nanning-b": wrong, "nanning-s": Unreachable(reason="x")})
    assert notes == ["nanning-b: its clock is -3600 s off this control node's"]
    assert "相差 -3600 秒" in chinese.say(notes[0])
