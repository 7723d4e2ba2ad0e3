"""A right host has no finding; one thing wrong gives exactly its findings."""

from collections.abc import Callable
from typing import Any

import pytest

from rollout.audit.compare import compare
from rollout.audit.facts import HostFacts, Unreachable
from tests.unit import audit_samples as sample
from tests.unit.audit_samples import PIP, SITE_PACKAGES, found, raw, sha

Said = dict[str, Any]
BUDGET = "jincai-budget in jincai@1.service"
ENVIRONMENT = "environment in jincai@1.service"


@pytest.mark.parametrize("letter", ["a", "b", "s"])
def test_a_host_that_runs_the_release_has_no_finding(letter: str) -> None:
    assert found(raw(letter), sample.expectation(letter)) == set()  # type: ignore[arg-type]


def _package(said: Said, name: str) -> Said:
    one: Said = next(p for p in said["packages"] if p["name"] == name)
    return one


def _drop_package(said: Said) -> None:
    said["packages"].remove(_package(said, "haproxy"))


def _more(said: Said, **more: Any) -> None:
    one = {"name": "telnet", "version": "0.17", "architecture": "amd64", "want": "install", "flag": "ok"}
    said["packages"].append({**one, "state": "installed", "essential": False, **more})


def _file(said: Said, path: str, digest: str | None) -> Said:
    if digest is None:
        del said["venv"]["files"][f"{SITE_PACKAGES}/{path}"]
    else:
        said["venv"]["files"][f"{SITE_PACKAGES}/{path}"] = digest
    return said


def _dist(said: Said, name: str, version: str) -> Said:
    said["venv"]["dists"] = [d for d in said["venv"]["dists"] if d[0] != name]
    if version:
        said["venv"]["dists"].append([name, version, f"{name.replace('-', '_')}-{version}.dist-info"])
    return said


def _unit(said: Said, name: str, **more: str) -> Said:
    said["units"][name] |= more
    return said


def _version(said: Said, system: int | None = None, **more: Any) -> None:
    answer = said["answers"]["jincai@1.service"]
    (answer if system is None else answer["systems"][system]).update(more)


def _members(said: Said) -> list[Said]:
    members: list[Said] = said["answers"]["cluster"]["members"]
    return members


ETC = "/etc/haproxy/haproxy.cfg"
CASES: list[tuple[str, Callable[[Said], object], set[tuple[str, str]]]] = [
    # packages
    ("older", lambda s: _package(s, "haproxy").update(version="2.6.12-1+deb12u2"), {("haproxy", "behind")}),
    ("newer", lambda s: _package(s, "haproxy").update(version="2.9.1-1"), {("haproxy", "ahead")}),
    ("not installed", _drop_package, {("haproxy", "missing")}),
    (
        "removed, conffiles left",
        lambda s: _package(s, "haproxy").update(state="config-files"),
        {("haproxy", "missing")},
    ),
    (
        "half-configured",
        lambda s: _package(s, "haproxy").update(state="half-configured"),
        {("haproxy", "modified")},
    ),
    ("reinst-required", lambda s: _package(s, "haproxy").update(flag="reinstreq"), {("haproxy", "modified")}),
    (
        "other architecture",
        lambda s: _package(s, "haproxy").update(architecture="all"),
        {("haproxy", "modified")},
    ),
    ("extra", _more, {("telnet", "extra")}),
    (
        "extra of a foreign architecture",
        lambda s: _more(s, name="libc6", architecture="i386"),
        {("libc6:i386", "extra")},
    ),
    ("residue is no extra", lambda s: _more(s, state="config-files"), set()),
    ("dpkg unreadable", lambda s: s.update(packages={"error": "gone"}), {("packages", "unreachable")}),
    # the environment
    ("byte changed", lambda s: _file(s, "h11/__init__.py", sha("x")), {("h11/__init__.py", "modified")}),
    (
        "link instead of file",
        lambda s: _file(s, "h11/__init__.py", "-> /tmp/x"),
        {("h11/__init__.py", "modified")},
    ),
    (
        "metadata changed",
        lambda s: _file(s, "h11-0.16.0.dist-info/METADATA", sha("x")),
        {("h11-0.16.0.dist-info/METADATA", "modified")},
    ),
    (
        "file gone",
        lambda s: _file(s, "jincai_budget/routes.py", None),
        {("jincai_budget/routes.py", "missing")},
    ),
    (
        "file added",
        lambda s: _file(s, "jincai_budget/evil.py", sha("x")),
        {("jincai_budget/evil.py", "extra")},
    ),
    (
        "bytecode",
        lambda s: _file(s, "h11/__pycache__/a.cpython-311.pyc", sha("x")),
        {("h11/__pycache__/", "extra")},
    ),
    ("pth file", lambda s: _file(s, "evil.pth", sha("x")), {("evil.pth", "extra")}),
    (
        "whole folder",
        lambda s: [_file(s, f"evil/deep/{n}.py", sha("x")) for n in range(30)],
        {("evil/", "extra")},
    ),
    ("installer's own files", lambda s: _file(s, "h11-0.16.0.dist-info/direct_url.json", sha("x")), set()),
    (
        "installer that is not pip",
        lambda s: _file(s, "h11-0.16.0.dist-info/INSTALLER", sha("x")),
        {("h11-0.16.0.dist-info/INSTALLER", "extra")},
    ),
    (
        "script in bin",
        lambda s: s["venv"]["files"].update({"bin/evil": PIP}),
        {(f"{sample.ROOT}/bin/evil", "extra")},
    ),
    ("manual page of a wheel", lambda s: s["venv"]["files"].update({"share/man/x.1": PIP}), set()),
    (
        "older dist",
        lambda s: (_dist(s, "h11", "0.15.0"), _file(s, "h11/__init__.py", sha("x"))),
        {("h11", "behind")},
    ),
    ("newer dist", lambda s: _dist(s, "jincai-budget", "1.2.0"), {("jincai-budget", "ahead")}),
    ("no dist", lambda s: _dist(s, "h11", ""), {("h11", "missing")}),
    (
        "extra dist",
        lambda s: s["venv"]["dists"].append(["requests", "2.0", "requests-2.0.dist-info"]),
        {("requests", "extra")},
    ),
    (
        "unreadable dist",
        lambda s: s["venv"]["dists"].append(["", "", "odd.dist-info"]),
        {("odd-dist-info", "extra")},
    ),
    (
        "other edition",
        lambda s: (_dist(s, "jincai-budget", ""), _dist(s, "jincai-budget-gx", "1.0.0")),
        {("jincai-budget", "other_edition")},
    ),
    ("two editions", lambda s: _dist(s, "jincai-budget-gx", "1.0.0"), {("jincai-budget-gx", "extra")}),
    (
        "no environment",
        lambda s: s.update(venv=None),
        {("the platform's environment", "missing"), ("jincai", "missing"), ("jincai-budget", "missing")},
    ),
    (
        "environment unreadable",
        lambda s: s.update(venv={"error": "io"}),
        {("the platform's environment", "unreachable")},
    ),
    # managed files
    ("content", lambda s: s["files"][ETC].update(sha256=sha("x")), {(ETC, "modified")}),
    ("mode", lambda s: s["files"][ETC].update(mode="0666"), {(ETC, "modified")}),
    ("owner", lambda s: s["files"][ETC].update(owner="jincai"), {(ETC, "modified")}),
    ("type", lambda s: s["files"][ETC].update(type="link", target="/x"), {(ETC, "modified")}),
    (
        "link's target",
        lambda s: s["files"]["/opt/jincai/current"].update(target="/opt/jincai/releases/2026.1-2"),
        {("/opt/jincai/current", "modified")},
    ),
    ("link's mode means nothing", lambda s: s["files"]["/opt/jincai/current"].update(mode="0755"), set()),
    ("gone", lambda s: s["files"].update({ETC: None}), {(ETC, "missing")}),
    ("files unreadable", lambda s: s.update(files={"error": "io"}), {("managed files", "unreachable")}),
    # services
    (
        "stopped",
        lambda s: (_unit(s, "haproxy.service", ActiveState="inactive"), s["answers"].pop("haproxy")),
        {("haproxy.service", "not_running")},
    ),
    (
        "failing",
        lambda s: _unit(s, "haproxy.service", ActiveState="activating", SubState="auto-restart"),
        {("haproxy.service", "not_running")},
    ),
    ("unknown unit", lambda s: s["units"].pop("haproxy.service"), {("haproxy.service", "not_running")}),
    (
        "disabled",
        lambda s: _unit(s, "haproxy.service", UnitFileState="disabled"),
        {("haproxy.service", "modified")},
    ),
    (
        "unit file changed unread",
        lambda s: _unit(s, "haproxy.service", NeedDaemonReload="yes"),
        {("haproxy.service", "modified")},
    ),
    (
        "addition that no role wrote",
        lambda s: _unit(s, "haproxy.service", DropInPaths="/etc/systemd/system/haproxy.service.d/x.conf"),
        {("/etc/systemd/system/haproxy.service.d/x.conf", "extra")},
    ),
    (
        "unit that no role wrote",
        lambda s: _unit(s, "haproxy.service", FragmentPath="/etc/systemd/system/haproxy.service"),
        {("/etc/systemd/system/haproxy.service", "extra")},
    ),
    ("systemd unseen", lambda s: s.update(units={"error": "no bus"}), {("services", "unreachable")}),
    # the platform's processes
    ("older code loaded", lambda s: _version(s, 0, version="0.9.0"), {(BUDGET, "behind")}),
    ("newer code loaded", lambda s: _version(s, 0, version="1.0.9"), {(BUDGET, "ahead")}),
    ("other code loaded", lambda s: _version(s, 0, code_sha256=sha("x")), {(BUDGET, "modified")}),
    ("other edition loaded", lambda s: _version(s, 0, dist="jincai-budget-gx"), {(BUDGET, "other_edition")}),
    ("system not loaded", lambda s: _version(s, systems=[]), {(BUDGET, "missing")}),
    (
        "unknown system loaded",
        lambda s: s["answers"]["jincai@1.service"]["systems"].append(
            {**sample.component("budget", "jincai-budget"), "code": "lottery", "dist": "jincai-lottery"}
        ),
        {("jincai-lottery in jincai@1.service", "extra")},
    ),
    ("other library loaded", lambda s: _version(s, environment_sha256=sha("x")), {(ENVIRONMENT, "modified")}),
    (
        "older release",
        lambda s: _version(s, release={"name": "2026.1", "serial": 2, "manifest_sha256": sha("2")}),
        {("release in jincai@1.service", "behind")},
    ),
    (
        "same serial, other manifest",
        lambda s: _version(s, release={"name": "2026.1", "serial": 3, "manifest_sha256": sha("2")}),
        {("release in jincai@1.service", "modified")},
    ),
    (
        "no release",
        lambda s: _version(s, release={"name": None, "serial": None, "manifest_sha256": None}),
        {("release in jincai@1.service", "behind")},
    ),
    ("a stranger answers", lambda s: _version(s, process={"pid": 9}), {("jincai@1.service", "modified")}),
    (
        "no answer",
        lambda s: s["answers"].update({"jincai@1.service": {"error": "timed out"}}),
        {("jincai@1.service", "not_running")},
    ),
    (
        "an answer that is not ours",
        lambda s: s["answers"].update({"jincai@1.service": {"hello": 1}}),
        {("jincai@1.service", "not_running")},
    ),
    # programs
    (
        "old postgres runs",
        lambda s: s["answers"].update(postgresql="15.13 (Debian 15.13-0+deb12u1)"),
        {("postgresql in patroni.service", "behind")},
    ),
    ("postgres without Debian's version", lambda s: s["answers"].update(postgresql="15.14"), set()),
    (
        "postgres silent",
        lambda s: s["answers"].update(postgresql={"error": "refused"}),
        {("postgresql in patroni.service", "not_running")},
    ),
    (
        "new haproxy runs",
        lambda s: s["answers"].update(haproxy="2.8.0-1"),
        {("haproxy in haproxy.service", "ahead")},
    ),
    (
        "old etcd runs",
        lambda s: s["answers"].update(etcd={"etcdserver": "3.4.9"}),
        {("etcd in etcd.service", "behind")},
    ),
    ("etcd says nonsense", lambda s: s["answers"].update(etcd=[]), {("etcd in etcd.service", "not_running")}),
    (
        "old patroni runs",
        lambda s: s["answers"]["patroni"]["patroni"].update(version="2.1.4"),
        {("patroni in patroni.service", "behind")},
    ),
    (
        "replaced files run",
        lambda s: s["processes"]["etcd.service"].update(deleted=["/usr/bin/etcd"]),
        {("etcd.service", "behind")},
    ),
    # the cluster
    ("one member", lambda s: _members(s).pop(), {("patroni", "not_running")}),
    ("standby stopped", lambda s: _members(s)[1].update(state="stopped"), {("patroni", "not_running")}),
    ("not synchronous", lambda s: _members(s)[1].update(role="replica"), {("patroni", "not_running")}),
    ("no leader", lambda s: _members(s)[0].update(role="replica"), {("patroni", "not_running")}),
    ("other timeline", lambda s: _members(s)[1].update(timeline=3), {("patroni", "not_running")}),
    ("maintenance mode", lambda s: s["answers"]["cluster"].update(pause=True), {("patroni", "not_running")}),
    (
        "patroni silent",
        lambda s: s["answers"].update(cluster={"error": "timed out"}),
        {("patroni", "not_running")},
    ),
]


@pytest.mark.parametrize(
    ("change", "findings"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_one_thing_wrong(change: Callable[[Said], object], findings: set[tuple[str, str]]) -> None:
    said = raw()
    change(said)
    assert found(said) == findings


@pytest.mark.parametrize(
    ("change", "findings"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_finding_says_what_was_expected_found_and_will_be_done(
    change: Callable[[Said], object], findings: set[tuple[str, str]]
) -> None:
    said = raw()
    change(said)
    for finding in compare(sample.expectation(), HostFacts.model_validate(said)):
        assert finding.expected
        assert finding.found
        assert finding.action
        assert finding.expected != finding.found
    assert findings is not None


def test_the_words_name_versions_and_what_differs() -> None:
    said = raw()
    _package(said, "haproxy")["version"] = "2.6.12-1+deb12u2"
    said["files"][ETC] |= {"mode": "0666", "owner": "jincai"}
    findings = compare(sample.expectation(), HostFacts.model_validate(said))
    by_name = {finding.component: finding for finding in findings}
    assert (by_name["haproxy"].expected, by_name["haproxy"].found) == ("2.6.12-1+deb12u3", "2.6.12-1+deb12u2")
    assert by_name[ETC].expected == "owner root:root, mode 0644"
    assert by_name[ETC].found == "owner jincai:root, mode 0666"


def test_a_bare_host_misses_the_release_and_nothing_that_nobody_recorded() -> None:
    said = raw()
    said |= {"packages": [sample.package(sample.DEBS[0])], "files": {}, "venv": None, "units": {}}
    said |= {"processes": {}, "answers": {}}
    kinds = found(said, sample.expectation(record=None))
    assert {kind for _, kind in kinds} == {"missing"}
    assert len(kinds) == 5 + 3


def test_a_host_that_does_not_answer_is_one_finding() -> None:
    (finding,) = compare(sample.expectation(), Unreachable(reason="Could not connect (timed out)"))
    assert (finding.component, finding.kind) == ("nanning-a", "unreachable")
    assert finding.found == "no SSH server answers at its address"
    assert "power" in finding.action


def test_many_changed_files_are_counted_not_listed() -> None:
    said = raw()
    for number in range(50):
        _file(said, f"jincai_budget/evil{number:02}.py", sha("x"))
    components = [c for c, kind in found(said) if kind == "extra"]
    assert len(components) == 21
    assert "30 more files that no wheel has" in components


@pytest.mark.parametrize(
    ("virtualisation", "kernel", "version", "findings"),
    [
        ("none", "6.1.0-37-amd64", "6.1.140-1", set()),
        ("vm", "6.1.0-37-amd64", "6.1.139-1", {("kernel", "behind")}),
        ("none", "6.1.0-35-amd64", "6.1.137-1", {("kernel", "behind")}),
        ("systemd-nspawn", "6.18.44-fc", "", set()),
    ],
)
def test_the_kernel_that_runs(
    virtualisation: str, kernel: str, version: str, findings: set[tuple[str, str]]
) -> None:
    expected = sample.expectation()
    image = sample.deb("linux-image-6.1.0-37-amd64", "6.1.140-1")
    expected.packages[image.name] = image
    said = raw()
    said["packages"].append(sample.package(image))
    said["machine"] |= {"virtualisation": virtualisation, "kernel": kernel, "kernel_version": version}
    assert found(said, expected) == findings


def test_deep_compares_the_files_of_packages_and_leaves_a_roles_files_to_it() -> None:
    expected = sample.expectation()
    contents = {
        "haproxy": {
            "/usr/sbin/haproxy": sha("program"),
            ETC: sha("as delivered"),
            "/usr/share/man/man1/haproxy.1.gz": sha("man"),
            "/usr/lib/link": "-> target",
        },
        "libc6": {"/usr/lib/libc.so.6": sha("libc")},
    }
    object.__setattr__(expected, "contents", contents)
    said = raw()
    there = {"mode": "0755", "owner": "root", "group": "root", "type": "file"}
    said["files"] |= {
        "/usr/sbin/haproxy": {**there, "sha256": sha("changed")},
        "/usr/lib/libc.so.6": None,
        "/usr/share/man/man1/haproxy.1.gz": None,
        "/usr/lib/link": {**there, "type": "link", "target": "target"},
    }
    assert found(said, expected) == {("/usr/sbin/haproxy", "modified"), ("/usr/lib/libc.so.6", "missing")}
