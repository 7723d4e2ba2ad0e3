"""Break-glass and contractors on a real city: frozen under load, a clean bundle, a new secret, keys that end.

In their order: the converge that renews the secret also brings the contractor's key to the hosts.
"""

import io
import json
import lzma
import re
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from rollout import clock
from rollout.access import authorized, contractors
from rollout.errors import UnreachableError
from rollout.glass.fabric_host import FabricHost
from rollout.inventory import load
from rollout.paths import Home
from rollout.secrets import vault
from tests.lab.city import City, write_inventory
from tests.lab.load import lost, payments

WHY = "核查异常支付"
WORD = "a passphrase"
NEXT_YEAR = clock.now().date() + timedelta(days=365)


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def health(city: City) -> dict[str, object]:
    found: dict[str, object] = json.loads(city.get("/healthz")[2])
    return found


def values(city: City) -> dict[str, str]:
    """The site's secrets, in clear."""
    folder = city.home.secrets(city.site)
    password = (folder / "vault-password").read_bytes().strip()
    file = folder / "vault.yml"
    found: dict[str, str] = yaml.safe_load(vault.decrypt(city.site, password, file.read_bytes(), str(file)))
    return {name: value for name, value in found.items() if name.startswith("secret__")}


@pytest.fixture
def thawed(city: City) -> Iterator[None]:
    yield
    city.rollout("glass", "thaw", "--reason", "the test has ended", "--yes")


@pytest.mark.usefixtures("thawed")
def test_frozen_under_load_nothing_is_paid_until_it_is_thawed(city: City) -> None:
    def number() -> int:
        return int(city.sql("SELECT count(*) FROM payment.payment"))

    looked = city.rollout("glass", "freeze", "--reason", WHY, "--dry-run")
    assert "payments go on" in looked.stdout
    assert health(city)["frozen"] is False
    with payments(city) as load_:
        eventually(lambda: len(load_.posted) > 20)
        said = city.rollout("glass", "freeze", "--reason", WHY, "--yes")
        at_return = number()
        assert f"frozen through {city.site}-a" in said.stdout
        refused = len(load_.failed)
        eventually(lambda: len(load_.failed) > refused + 20)
        assert number() == at_return
        again = city.rollout("glass", "freeze", "--reason", "another reason", "--yes")
        assert WHY in again.stdout
        assert health(city)["frozen"] is True
        assert WHY in city.rollout("status").stdout
        assert city.get("/version")[0] == 200
        city.rollout("glass", "thaw", "--reason", "已核查", "--yes")
        posted = len(load_.posted)
        eventually(lambda: len(load_.posted) > posted + 20)
    assert {text[:3] for _, text in load_.failed} == {"503"}
    assert all("urn:jincai:problem:frozen" in text and WHY in text for _, text in load_.failed)
    assert lost(city, load_) == set()
    runs = json.loads(city.rollout("journal", "--json").stdout)
    assert [run["verb"] for run in runs[:3]] == ["glass thaw", "glass freeze", "glass freeze"]
    assert runs[0]["who"]


def test_whoever_is_not_reached_is_named(city: City, tmp_path: Path) -> None:
    wrong = Home(tmp_path)
    (wrong.keys / "ssh_ed25519").write_bytes(city.home.ssh_key.read_bytes())
    (wrong.keys / "ssh_ed25519").chmod(0o600)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    blob = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    host = load(city.inventory).sites[city.site].storage
    for known in ("", f"{host.address} {blob}\n"):
        wrong.known_hosts.write_text(known)
        with pytest.raises(UnreachableError, match=f"{city.site}-s"):
            FabricHost(host, wrong).run(["true"])
    assert FabricHost(host, city.home).run(["cat"], b"over fabric") == b"over fabric"
    inventory = write_inventory(tmp_path / "inventory", gone="198.19.254")
    done = city.rollout(*("glass", "freeze", "--reason", WHY, "--dry-run", "-i", str(inventory)), expect=3)
    assert re.search(r"gone .*unreachable", done.stdout)
    assert "payments go on" in done.stdout


def test_a_bundle_has_what_helps_and_nothing_that_must_not_leave(city: City, tmp_path: Path) -> None:
    secret = values(city)["secret__jincai_app"]
    person, account, phone = "欧阳测试", "6222021234567890123", "13807710001"
    line = (
        f"to {person} {account} {phone} with {secret} postgresql://u:pass-in-url@h/d Bearer abcdefgh12345678"
    )
    # As if the platform had written it: journald takes root's word for whose message it is.
    entry = f"MESSAGE={line}\nOBJECT_SYSTEMD_UNIT=jincai@probe.service\n"
    city.host("a").run(["logger", "--journald"], stdin=entry)
    journal = "journalctl --no-pager --unit=jincai@probe"
    eventually(lambda: person in city.host("a").run(journal).stdout)
    city.rollout("glass", "bundle", "--site", city.site, "--out", str(tmp_path))
    archives = sorted(tmp_path.glob("*.tar.xz"))
    assert [file.name[: len(city.site) + 2] for file in archives] == [
        f"{city.site}-{letter}" for letter in "abs"
    ]
    known = set(values(city).values())
    for file in archives:
        subprocess.run(
            ["sha256sum", "-c", f"{file.name}.sha256"], cwd=tmp_path, check=True, capture_output=True
        )
        with tarfile.open(fileobj=io.BytesIO(lzma.decompress(file.read_bytes()))) as tar:
            contents = {
                member.name.partition("/")[2]: stream.read().decode()
                for member in tar.getmembers()
                if (stream := tar.extractfile(member))
            }
        manifest = json.loads(contents.pop("manifest.json"))
        assert set(manifest["parts"]) == set(contents)
        text = "\n".join(contents.values())
        assert not [one for one in known if one in text]
        for gone in (person, account, phone, "pass-in-url", "abcdefgh12345678", "PRIVATE KEY"):
            assert gone not in text, gone
        assert "postgresql-15" in contents["versions/packages"] or file.name.startswith(f"{city.site}-s")
        if file.name.startswith(f"{city.site}-a"):
            assert "[secret]" in contents["logs/jincai"]
            assert "Leader" in contents["cluster/patroni"]
            assert "BACKEND" in contents["edge/haproxy-stats"]
        if file.name.startswith(f"{city.site}-s"):
            assert "control/runs.json" in contents


@pytest.mark.long
def test_a_secret_is_renewed_without_a_failed_request_and_lets_a_contractor_in(city: City) -> None:
    before = values(city)
    city.rollout("contractor", "add", "gl-tech", "--site", city.site, "--until", f"{NEXT_YEAR}")
    plan = city.rollout("plan", "2026.1", "--site", city.site, expect=1)
    assert "inventory or secrets changed" in plan.stdout
    with payments(city) as load_:
        eventually(lambda: len(load_.posted) > 20)
        city.rollout("glass", "rotate", "jincai_app", "--site", city.site, "--yes")
        posted = len(load_.posted)
        eventually(lambda: len(load_.posted) > posted + 20)
    assert load_.failed == []
    after = values(city)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"secret__jincai_app"}
    for letter in "ab":
        environment = city.host(letter).run(["cat", "/etc/jincai/jincai.env"]).stdout
        assert after["secret__jincai_app"] in environment
        assert before["secret__jincai_app"] not in environment
    dsn = f"host={city.address(city.leader())} dbname=jincai user=jincai_app sslmode=require"
    for password, works in ((before["secret__jincai_app"], False), (after["secret__jincai_app"], True)):
        said = city.host("a").run(
            ["env", f"PGPASSWORD={password}", "psql", "-XAtc", "SELECT 1", dsn], check=False
        )
        assert (said.returncode == 0) is works, said.stderr
    assert not (city.home.secrets(city.site) / "rotating.yml").exists()
    assert "nothing to do" in city.apply().stdout


@pytest.fixture(scope="module")
def contractor(city: City, tmp_path_factory: pytest.TempPathFactory) -> City:
    """The same city from the contractor's own control node; the builds come as by `release import`."""
    folder = tmp_path_factory.mktemp("contractor")
    (folder / "word").write_text(WORD)
    word = ("--passphrase-file", str(folder / "word"))
    city.rollout("contractor", "export", "gl-tech", str(folder / "file"), *word)
    home = Home(folder / "home")
    theirs = City(home, home.root / "inventory", city.site)
    theirs.rollout("state", "import", str(folder / "file"), *word)
    city.rollout("release", "export", "2026.1", str(folder / "bundle"))
    theirs.rollout("release", "import", str(folder / "bundle"))
    return theirs


@pytest.mark.long
def test_a_contractor_works_at_its_city_and_the_region_reads_it(city: City, contractor: City) -> None:
    assert contractor.audit()["uniform"] is True
    assert "nothing to do" in contractor.apply().stdout
    contractor.apply("--converge")
    assert "nothing to do" in city.apply().stdout
    assert city.audit()["uniform"] is True
    rows = json.loads(city.rollout("journal", "--site", city.site, "--json").stdout)
    (theirs,) = [row for row in rows if row["who"].startswith("gl-tech/")]
    assert (theirs["verb"], theirs["outcome"], theirs["from_here"]) == ("apply", "done", False)


@pytest.mark.long
def test_of_other_cities_a_contractor_has_no_key(city: City, contractor: City, tmp_path: Path) -> None:
    refused = contractor.rollout("glass", "freeze", "--reason", WHY, "--yes", expect=2)
    assert "gl-tech" in refused.stderr
    host = load(city.inventory).sites[city.site].storage
    assert FabricHost(host, contractor.home).run(["true"]) == b""
    # Another city's contractor knows this host's key and may reach its address: the host does not let it in.
    elsewhere = load(write_inventory(tmp_path / "two", othercity="198.19.253")).sites["othercity"]
    contractors.add(city.home, "elsewhere", [elsewhere], NEXT_YEAR)
    identity = contractors.Identity(city.home, "elsewhere")
    stranger = Home(tmp_path / "home")
    stranger.known_hosts.write_bytes(city.home.known_hosts.read_bytes())
    (stranger.keys / "ssh_ed25519").write_bytes(identity.ssh_key.read_bytes())
    (stranger.keys / "ssh_ed25519").chmod(0o600)
    with pytest.raises(UnreachableError, match=r"(?i)authentication failed"):
        FabricHost(host, stranger).run(["true"])
    contractors.remove(city.home, "elsewhere")


@pytest.mark.long
def test_a_key_opens_until_its_day_and_not_after(city: City, contractor: City) -> None:
    host = load(city.inventory).sites[city.site].storage
    file = "/home/rollout/.ssh/authorized_keys"
    there = city.host("s").run(["cat", file]).stdout
    assert there.splitlines() == authorized.lines(city.home, city.site)
    (stamp,) = re.findall(r'expiry-time="(\d{14}Z)"', there)
    try:
        city.host("s").run(f"sed -i 's/{stamp}/20200101160000Z/' {file}")
        with pytest.raises(UnreachableError, match=r"(?i)authentication failed"):
            FabricHost(host, contractor.home).run(["true"])
    finally:
        city.host("s").run(f"sed -i 's/20200101160000Z/{stamp}/' {file}")
    assert FabricHost(host, contractor.home).run(["true"]) == b""
