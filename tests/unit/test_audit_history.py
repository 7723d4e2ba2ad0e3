"""Kept audits: what is evidence, and what became of findings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rollout.audit import history, trend_page
from rollout.audit.findings import AuditReport, Finding, HostReport
from rollout.audit.trend import follow
from rollout.errors import ConfigurationError
from rollout.paths import Home

DAY = datetime(2026, 11, 20, 2, tzinfo=UTC)


def finding(component: str, kind: str = "modified") -> Finding:
    return Finding.model_validate(
        {"component": component, "kind": kind, "expected": "1", "found": "2", "action": "apply"}
    )


def host(name: str, *found: Finding, reachable: bool = True) -> HostReport:
    return HostReport(
        host=name,
        site=name.rpartition("-")[0],
        reachable=reachable,
        checked={},
        running={},
        findings=list(found),
    )


def report(days: float, *hosts: HostReport) -> AuditReport:
    kinds = [one.kind for each in hosts for one in each.findings]
    return AuditReport(
        release="2026.1",
        serial=1,
        manifest_sha256="0" * 64,
        inventory_sha256="1" * 64,
        rollout_version="0",
        taken_at=DAY + timedelta(days=days),
        uniform=not kinds,
        summary={kind: kinds.count(kind) for kind in kinds},
        hosts=list(hosts),
    )


def test_kept_audits_are_listed_newest_first_and_what_was_changed_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = history.keep(home, report(0, host("yulin-a", finding("haproxy"))))
    second = history.keep(home, report(1, host("yulin-a"), host("hechi-a")))
    third = history.keep(home, report(2, host("hechi-a")))
    found = history.newest(home, 10)
    assert [one.id for one in found.kept] == [third, second, first]
    assert [one.open for one in found.kept] == [0, 0, 1]
    assert found.kept[1].sites == ["hechi", "yulin"]
    assert [one.id for one in history.newest(home, 10, ["yulin"]).kept] == [second, first]
    assert [one.id for one in history.newest(home, 1).kept] == [third]
    assert [one.id for one in history.newest(home, 10, since=DAY + timedelta(days=1)).kept] == [third, second]
    file = history.file_of(home, second)
    file.write_text(file.read_text().replace('"uniform": true', '"uniform":  true'))
    found = history.newest(home, 10)
    assert [one.id for one in found.kept] == [third, first]
    assert second in found.refused[0]
    with pytest.raises(ConfigurationError, match="no kept audit nothing"):
        history.file_of(home, "nothing")


def test_a_finding_stands_from_the_first_audit_that_saw_it_to_the_first_that_did_not() -> None:
    found = follow(
        [
            report(3, host("yulin-a")),
            report(1, host("yulin-a", finding("haproxy")), host("yulin-b", finding("etcd.service"))),
            report(2, host("hechi-a")),  # says nothing of yulin
            report(0, host("yulin-a"), host("yulin-b")),
        ]
    )
    gone, stands = found.findings
    assert (gone.component, gone.first_seen, gone.gone_at) == (
        "haproxy",
        DAY + timedelta(days=1),
        DAY + timedelta(days=3),
    )
    assert gone.hours(DAY + timedelta(days=99)) == 48
    assert (stands.component, stands.gone_at) == ("etcd.service", None)
    assert stands.hours(DAY + timedelta(days=4)) == 72


def test_a_host_that_does_not_answer_says_nothing_of_its_other_findings() -> None:
    silent = host("yulin-a", finding("yulin-a", "unreachable"), reachable=False)
    found = follow([report(0, host("yulin-a", finding("haproxy"))), report(1, silent)])
    assert {(one.component, one.gone_at) for one in found.findings} == {("haproxy", None), ("yulin-a", None)}
    found = follow([report(1, silent), report(2, host("yulin-a"))])
    assert [one.gone_at for one in found.findings] == [DAY + timedelta(days=2)]


def test_a_day_counts_the_last_audit_of_each_site() -> None:
    found = follow(
        [
            report(0, host("yulin-a", finding("haproxy"), finding("etcd"))),
            report(0.1, host("yulin-a", finding("haproxy")), host("hechi-a", finding("nginx", "waived"))),
            report(1, host("yulin-a")),
        ]
    )
    first, second = found.days
    assert (first.audits, first.hosts, first.kinds, first.open) == (2, 2, {"modified": 1, "waived": 1}, 1)
    assert (second.audits, second.open) == (1, 0)
    only = follow([report(0, host("yulin-a", finding("x")), host("hechi-a"))], {"hechi"})
    assert only.findings == []
    assert only.days[0].hosts == 1


def test_the_page_names_what_stands_and_what_is_gone() -> None:
    taken = [report(0, host("yulin-a", finding("<haproxy>"))), report(1, host("yulin-a", finding("etcd")))]
    page = trend_page.render(follow(taken), DAY + timedelta(days=2), ["bad.json: bad signature"])
    standing, gone = page.split("已消除")
    assert "etcd" in standing
    assert "&lt;haproxy&gt;" in gone
    assert "bad.json" in page
    assert "没有审计记录" in trend_page.render(follow([]), DAY, [])
