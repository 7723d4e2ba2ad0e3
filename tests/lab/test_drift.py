"""What somebody did by hand on a host: the audit finds it, the plan names it, apply mends it.

One apply mends it all, because each takes two minutes; while it holds the site's lease, another is refused.
"""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.lab import LabHost
from rollout.release.manifest import Manifest
from rollout.release.verify import find_build
from tests.lab.city import City

SITE_PACKAGES = "/opt/jincai/current/venv/lib/python3.11/site-packages"


def send(host: LabHost, file: Path) -> str:
    """Copies a file to a host; its path there."""
    target = f"/tmp/{file.name}"
    host.run(f"base64 -d > {target}", stdin=base64.b64encode(file.read_bytes()).decode())
    return target


def repacked(city: City, name: str, version: str, folder: Path) -> Path:
    """A package of the release under another version."""
    build = find_build(city.home, "2026.1")
    deb = next(d for d in Manifest.read(build).debs if d.name == name)
    root = folder / f"{name}-{version.replace(':', '-')}"
    subprocess.run(["dpkg-deb", "-R", build / deb.file, root], check=True)
    control = root / "DEBIAN" / "control"
    lines = [
        f"Version: {version}" if ln.startswith("Version:") else ln for ln in control.read_text().splitlines()
    ]
    control.write_text("\n".join(lines) + "\n")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", root, f"{root}.deb"], check=True, capture_output=True
    )
    return Path(f"{root}.deb")


def unknown_package(folder: Path) -> Path:
    """A package that no release knows."""
    root = folder / "left-behind"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: left-behind\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.invalid>\n"
        "Description: put here by hand\n"
    )
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", root, f"{root}.deb"], check=True, capture_output=True
    )
    return Path(f"{root}.deb")


def other_edition(folder: Path) -> Path:
    """The ledger as another edition: another dist with the same code."""
    source = folder / "edition"
    subprocess.run(["cp", "-a", "platform_app/systems/ledger", source], check=True)
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace('name = "jincai-ledger"', 'name = "jincai-ledger-gx"'))
    argv = [".venv/bin/python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run([str(Path(argv[0]).absolute()), *argv[1:]], cwd=source, check=True, capture_output=True)
    return next(folder.glob("jincai_ledger_gx-*.whl"))


@pytest.fixture(scope="module")
def drifted(city: City, tmp_path_factory: pytest.TempPathFactory) -> City:
    """Everything at once: one sweep must find all of it, one apply must mend all of it."""
    folder = tmp_path_factory.mktemp("drift")
    a, b, s = (city.host(letter) for letter in "abs")
    a.run(f"dpkg -i {send(a, repacked(city, 'iputils-ping', '9:99-1', folder))}")
    b.run(f"dpkg -i {send(b, repacked(city, 'iputils-ping', '1:1-1', folder))}")
    s.run(f"dpkg -i {send(s, unknown_package(folder))}")
    # One byte of a module that nobody would miss, in place.
    b.run(f"printf X | dd of={SITE_PACKAGES}/h11/_version.py bs=1 seek=2 conv=notrunc status=none")
    a.run("echo '# by hand' >> /etc/haproxy/haproxy.cfg")
    a.run("chmod 0600 /etc/nftables.conf")
    b.run("systemctl stop keepalived")
    # The program on disk is new (and right), the process is the old one.
    s.run("cp -a /usr/bin/etcd /usr/bin/etcd.new && mv /usr/bin/etcd.new /usr/bin/etcd")
    # A process that loaded something else than what is (rightly) on disk now.
    module = f"{SITE_PACKAGES}/jincai_budget/__init__.py"
    b.run(f"cp -a {module} /tmp/right && sed -i 's/indicators/Indicators/' {module}")
    b.run("systemctl restart jincai@1")
    # Its own instance, not the other one behind HAProxy: what it has loaded is fixed when it answers.
    b.run("curl -sk --retry 60 --retry-delay 1 --retry-all-errors -o /dev/null https://127.0.0.1:8101/livez")
    b.run(f"cp -a /tmp/right {module}.new && mv {module}.new {module}")
    wheel = send(a, other_edition(folder))
    a.run(f"cd {SITE_PACKAGES} && rm -r jincai_ledger-1.0.0.dist-info && python3 -m zipfile -e {wheel} .")
    return city


EXPECTED = {
    ("a", "iputils-ping", "ahead"),
    ("b", "iputils-ping", "behind"),
    ("s", "left-behind", "extra"),
    ("b", "h11/_version.py", "modified"),
    ("a", "/etc/haproxy/haproxy.cfg", "modified"),
    ("a", "/etc/nftables.conf", "modified"),
    ("b", "keepalived.service", "not_running"),
    ("s", "etcd.service", "behind"),
    ("b", "jincai-budget in jincai@1.service", "modified"),
    ("a", "jincai-ledger", "other_edition"),
}


def test_each_is_found_with_kind_component_expected_and_found(drifted: City) -> None:
    report = drifted.audit(expect=1)
    found = {(h["host"][-1], f["component"], f["kind"]): f for h in report["hosts"] for f in h["findings"]}
    assert found.keys() >= EXPECTED, sorted(found)
    for finding in found.values():
        assert finding["expected"]
        assert finding["found"]
        assert finding["action"]
    assert found["a", "iputils-ping", "ahead"]["found"] == "9:99-1"
    assert found["b", "jincai-budget in jincai@1.service", "modified"]["found"].startswith("code ")
    assert "jincai-ledger-gx" in found["a", "jincai-ledger", "other_edition"]["found"]


def test_the_plan_says_what_will_be_done(drifted: City) -> None:
    done = drifted.rollout("plan", "2026.1", "--site", drifted.site, expect=1)
    for word in (
        "iputils-ping",
        "left-behind",
        "/etc/haproxy/haproxy.cfg",
        "keepalived.service",
        "jincai-ledger",
    ):
        assert word in done.stdout, done.stdout


def test_a_host_powered_off_is_found_and_planned_and_no_apply_begins(drifted: City) -> None:
    letter = "b"
    drifted.wait_whole()
    drifted.host(letter).cut_power()
    try:
        report = drifted.audit(expect=3)
        assert report["uniform"] is False
        off = next(h for h in report["hosts"] if h["host"].endswith(letter))
        assert off["reachable"] is False
        assert [f["kind"] for f in off["findings"]] == ["unreachable"]
        said = drifted.rollout("plan", "2026.1", "--site", drifted.site, expect=3)
        assert f"{drifted.site}-{letter}" in said.stdout
        refused = drifted.apply(expect=3)
        assert f"{drifted.site}-{letter}" in refused.stdout + refused.stderr
    finally:
        drifted.host(letter).start()
        drifted.host(letter).wait_ssh()


def test_the_next_apply_mends_all_of_it_and_no_other_begins_meanwhile(drifted: City) -> None:
    first = drifted.start("apply", "2026.1", "--site", drifted.site, "--yes")
    lease = "cat /var/lib/rollout/lease.json 2>/dev/null || cat /var/lib/rollout/*/lease.json"
    end = time.monotonic() + 60
    while (held := drifted.host("s").run(lease, check=False)).returncode != 0:
        assert first.poll() is None, first.communicate()[0][-3000:]
        assert time.monotonic() < end, "no lease was taken"
        time.sleep(0.2)
    run = json.loads(held.stdout)["run"]
    second = drifted.apply(expect=4)
    said = second.stdout + second.stderr
    assert "is running apply there since" in said
    assert run in said
    said = first.communicate(timeout=900)[0]
    assert first.returncode == 0, said[-3000:]
    assert drifted.audit()["uniform"] is True
    assert drifted.host("s").run("dpkg -s left-behind", check=False).returncode != 0
    drifted.wait_for("/version", 15)


ASKED = ["--key", "/etc/rollout/release.gpg", "--accepted", "/var/lib/rollout/accepted.json", "--mirror"]
TAMPERING: list[tuple[str, Callable[[str], str]]] = [
    ("a deb", lambda build: f"{build}/apt/pool/nginx-light_*.deb"),
    ("a wheel", lambda build: f"{build}/wheels/h11-*.whl"),
    ("an index", lambda build: f"{build}/apt/dists/2026.1/site/binary-amd64/Packages"),
    ("the manifest", lambda build: f"{build}/manifest.json"),
    ("the signature", lambda build: f"{build}/manifest.json.asc"),
]


@pytest.mark.parametrize(("what", "where"), TAMPERING, ids=[what for what, _ in TAMPERING])
def test_the_host_itself_refuses_a_changed_depot(city: City, what: str, where: Callable[[str], str]) -> None:
    build = find_build(city.home, "2026.1").name
    s = city.host("s")
    path = s.run(f"ls {where(f'/srv/depot/{build}')}").stdout.strip()
    s.run(f"cp -a {path} /tmp/whole && printf '\\377' | dd of={path} bs=1 seek=200 conv=notrunc status=none")
    try:
        refused = s.run(
            ["python3", "-", f"/srv/depot/{build}", *ASKED],
            stdin=ASK_THE_HOST,
            check=False,
        )
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert Path(path).name in refused.stdout, what
    finally:
        s.run(f"mv /tmp/whole {path}")


ASK_THE_HOST = Path("rollout/depot/host_verify.py").read_text()
