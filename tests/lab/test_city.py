"""A deployed city: what it answers, what it runs, what it reaches, and that nothing is done twice."""

import json
import re
import time
from pathlib import Path

from rollout.release.manifest import Manifest
from rollout.release.verify import find_build
from tests.lab.city import NETWORK, VIP, City, write_inventory


def manifest(city: City) -> Manifest:
    return Manifest.read(find_build(city.home, "2026.1"))


def test_the_address_answers_with_release_and_systems(city: City) -> None:
    status, _, body = city.get("/version")
    version = json.loads(body)
    release = manifest(city)
    assert status == 200
    assert version["release"] == {
        "name": release.release,
        "serial": release.serial,
        "manifest_sha256": release.sha256(),
    }
    assert {s["code"]: s["version"] for s in version["systems"]} == {
        wheel.system: wheel.version for wheel in release.systems() if wheel.system != "jincai"
    }
    assert json.loads(city.get("/healthz")[2])


def test_it_answers_through_either_minicomputer(city: City) -> None:
    seen = set()
    for letter in "ab":
        other = city.host("b" if letter == "a" else "a")
        other.run("systemctl stop keepalived")
        try:
            city.wait_for("/version", 15)
            seen.add(city.get("/version")[1]["x-served-by"])
        finally:
            other.run("systemctl start keepalived")
        time.sleep(3)
    assert seen == {f"{city.site}-a", f"{city.site}-b"}
    for number in (11, 12):
        assert city.get("/version", f"{NETWORK}.{number}")[0] == 200


def test_the_audit_is_uniform_and_says_what_it_looked_at(city: City) -> None:
    report = city.audit()
    assert report["uniform"] is True
    assert report["summary"] == {}
    for host in report["hosts"]:
        assert host["reachable"]
        assert host["checked"]["package"] > 150
        assert host["checked"]["managed_file"] > 20
    a = next(h for h in report["hosts"] if h["host"].endswith("-a"))
    assert a["running"]["jincai"] == "1.0.0"
    assert a["running"]["postgresql"].startswith("15.")


def test_nothing_to_do_touches_nothing(city: City) -> None:
    before = (
        city.host("s").run("stat -c %Y /var/lib/rollout/records/*.json; journalctl -u ssh -q | wc -l").stdout
    )
    done = city.apply()
    after = city.host("s").run("stat -c %Y /var/lib/rollout/records/*.json").stdout
    assert before.splitlines()[0] == after.splitlines()[0]
    assert "nothing to do" in done.stdout + done.stderr


def test_a_second_full_converge_changes_nothing(city: City) -> None:
    """Nor the order in which a database of an earlier release sorts, which is another than a new one's."""
    sorts = "SELECT datcollate FROM pg_database WHERE datname = 'jincai'"
    assert city.sql(sorts) == "C"
    earlier = "UPDATE pg_database SET datcollate = 'C.UTF-8' WHERE datname = 'jincai'"
    city.sql(f"SET allow_system_table_mods = on; {earlier}")
    done = city.apply("--converge")
    assert city.sql(sorts) == "C.UTF-8"
    said = done.stdout + done.stderr
    for letter in "abs":
        row = re.search(rf"{city.site}-{letter}\D+(\d+)\D+(\d+)", said)
        assert row, said[-3000:]
        assert int(row.group(1)) > 50
        assert row.group(2) == "0", said[-3000:]


def test_check_mode_works_on_an_installed_site(city: City) -> None:
    city.apply("--check")


def test_hosts_reach_each_other_and_nothing_else(city: City) -> None:
    for letter in "abs":
        host = city.host(letter)
        assert "default" not in host.run("ip route").stdout
        # 203.0.113.0/24 is nobody's (RFC 5737): there must be no way to even try.
        assert host.run("ping -c1 -W1 203.0.113.1", check=False).returncode != 0
        assert host.run(f"ping -c1 -W2 {NETWORK}.1").returncode == 0
        for number in (11, 12, 13):
            assert host.run(f"ping -c1 -W2 {NETWORK}.{number}").returncode == 0


def test_everything_came_from_the_depot(city: City) -> None:
    release = manifest(city)
    for letter in "abs":
        host = city.host(letter)
        sources = host.run(
            "cat /etc/apt/sources.list.d/* /etc/apt/sources.list 2>/dev/null", check=False
        ).stdout
        addresses = re.findall(r"URIs: (\S+)", sources)
        assert len(addresses) == 1
        assert addresses[0].startswith(("file:/srv/depot/", f"http://{NETWORK}.13/depot/"))
        installed = host.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"]).stdout.split("\n")[:-1]
        kind = "storage" if letter == "s" else "minicomputer"
        exact = {f"{deb.name} {deb.version}" for deb in release.debs_of(kind).values()}
        assert set(installed) == exact


def test_no_secret_is_in_a_log(city: City) -> None:
    import yaml

    from rollout.secrets import vault

    folder = city.home.secrets(city.site)
    password = (folder / "vault-password").read_bytes().strip()
    plain = yaml.safe_load(
        vault.decrypt(city.site, password, (folder / "vault.yml").read_bytes(), "vault.yml")
    )
    secrets = [value for name, value in plain.items() if name.startswith("secret__")]
    secrets += [pair["key"].splitlines()[1] for pair in plain["pki__hosts"].values()]
    places = [p for p in city.home.runs.rglob("*") if p.is_file()] + [city.home.journal]
    for place in places:
        text = place.read_bytes()
        for secret in secrets:
            assert secret.encode() not in text, place
    for letter in "abs":
        logged = city.host(letter).run("journalctl -q --no-pager -o cat").stdout
        for secret in secrets:
            if len(secret) > 8:
                assert secret not in logged


def test_how_far_the_rollout_is_comes_to_the_platform(city: City, tmp_path: Path) -> None:
    """The region publishes to its own platform: here the city passes for the region."""
    folder = write_inventory(tmp_path / "inventory", city.site, othercity="198.19.254")
    hosts = folder / "hosts.yml"
    hosts.write_text(hosts.read_text().replace("site__kind: city", "site__kind: region", 1))
    (folder / "progress.yml").write_text(f"go_live: {{{city.site}: 2026-12-31, othercity: 2027-06-30}}\n")
    said = city.rollout("progress", "publish", "-i", str(folder))
    assert f"2 sites shown at https://{VIP}/rollout" in said.stdout
    assert city.sql("SELECT count(*) FROM jincai.rollout_progress") == "2"
    newest = json.loads(city.rollout("journal", "--json").stdout)[0]
    assert newest["verb"] == "progress publish"
