"""A contractor's control node: what is in it, what it refuses, and what it could not open if it did not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rollout import clock, secrets
from rollout.access import authorized, contractors, scope
from rollout.access.export import export
from rollout.access.model import REGION, SiteKey
from rollout.access.trust import in_time, verify_record
from rollout.apply import state
from rollout.apply.journal import opened
from rollout.errors import ConfigurationError, VerificationError
from rollout.inventory import Inventory, load, select
from rollout.paths import Home, content
from rollout.plan.inputs import input_sha256, secrets_digest
from rollout.release.sign import Keyring
from rollout.secrets import vault
from tests.lab.city import write_inventory

WORD = "a passphrase"
NEXT_YEAR = clock.now().date() + timedelta(days=365)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The region's home: its keys, the vaults of two cities, their host keys."""
    home = Home(tmp_path_factory.mktemp("region"))
    key(home.ssh_key, "rollout lab")
    for role in ("release", "report"):
        Keyring(home, role).ensure()  # type: ignore[arg-type]
    host_key = home.root / "host"
    key(host_key, "")
    kind, blob = host_key.with_suffix(".pub").read_text().split()[:2]
    networks = ("198.19.200", "198.19.201")
    home.known_hosts.write_text(
        "".join(f"{net}.{n} {kind} {blob}\n" for net in networks for n in (11, 12, 13))
    )
    for site in inventory_of(home).sites.values():
        secrets.ensure(home, site)
    return home


def inventory_of(home: Home) -> Inventory:
    return load(write_inventory(home.root / "inv", "nanning", "198.19.200", liuzhou="198.19.201"))


def key(file: Path, comment: str) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def handed(region: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What a contractor of Nanning was given, brought into an empty home."""
    inventory = inventory_of(region)
    made = contractors.add(region, "gl-tech", select(inventory, ["nanning"]), NEXT_YEAR)
    folder = tmp_path_factory.mktemp("handed")
    export(region, inventory, made, folder / "file", WORD)
    home = Home(folder / "home")
    state.restore(home, folder / "file", WORD)
    return home


@pytest.fixture
def within(handed: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """As that contractor."""
    monkeypatch.setenv("ROLLOUT_HOME", str(handed.root))
    return handed


def test_it_holds_one_citys_vault_and_no_other(region: Home, handed: Home) -> None:
    every = [path.relative_to(handed.root).as_posix() for path in handed.root.rglob("*") if path.is_file()]
    assert not [path for path in every if "liuzhou" in path]
    assert set(load(handed.root / "inventory").sites) == {"nanning"}
    assert "198.19.201" not in handed.known_hosts.read_text()
    password = (handed.root / "secrets/nanning/vault-password").read_bytes().strip()
    own = (region.secrets("nanning") / "vault.yml").read_bytes()
    assert b"secret__jincai_app" in vault.decrypt("nanning", password, own, "own")
    other = (region.secrets("liuzhou") / "vault.yml").read_bytes()
    with pytest.raises(VerificationError):
        vault.decrypt("liuzhou", password, other, "the other city's")


def test_no_private_key_of_the_region_is_in_it(region: Home, handed: Home) -> None:
    theirs = {path.read_bytes() for path in handed.root.rglob("*") if path.is_file()}
    for folder in (region.keys / "release", region.keys / "report"):
        private = list((folder / "private-keys-v1.d").iterdir())
        assert private
        assert not [file for file in private if file.read_bytes() in theirs]
    assert region.ssh_key.read_bytes() not in theirs
    assert (handed.keys / "release.gpg").read_bytes() == (region.keys / "release.gpg").read_bytes()


def test_both_control_nodes_come_to_the_same_inputs(region: Home, handed: Home) -> None:
    def digest(home: Home, inventory: Inventory) -> str:
        site = inventory.sites["nanning"]
        keys = authorized.lines(home, "nanning")
        return input_sha256("0" * 64, site, inventory, content(), secrets_digest(home, site), keys=keys)

    assert digest(region, inventory_of(region)) == digest(handed, load(handed.root / "inventory"))


def test_the_keys_of_a_site_are_the_regions_and_its_contractors(region: Home, handed: Home) -> None:
    own, theirs = authorized.lines(region, "nanning")
    assert own == region.ssh_key.with_suffix(".pub").read_text().strip()
    assert theirs == f'expiry-time="{NEXT_YEAR:%Y%m%d}160000Z" {contractors.find(region, "gl-tech").ssh_key}'
    assert authorized.lines(region, "liuzhou") == [own]
    assert authorized.lines(handed, "liuzhou") == []


def test_a_key_is_gone_after_its_last_day_in_china(
    region: Home, handed: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = clock.now().replace(hour=0, minute=0, second=0) + timedelta(days=1)
    assert len(authorized.keys(region, "nanning")) == 2
    last = end.replace(year=NEXT_YEAR.year, month=NEXT_YEAR.month, day=NEXT_YEAR.day) + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: last - timedelta(seconds=1))
    assert len(authorized.keys(region, "nanning")) == 2
    monkeypatch.setattr(clock, "now", lambda: last)
    for home in (region, handed):
        assert [one.who for one in authorized.keys(home, "nanning")] == [REGION]


def test_only_its_sites_are_chosen(within: Home, region: Home) -> None:
    inventory = inventory_of(region)
    assert [site.name for site in select(inventory, [])] == ["nanning"]
    assert [site.name for site in select(inventory, ["nanning"])] == ["nanning"]
    with pytest.raises(ConfigurationError, match="liuzhou: outside the scope of gl-tech, which is nanning"):
        select(inventory, ["nanning", "liuzhou"])
    assert within


@pytest.mark.parametrize(
    "words",
    [
        ["release", "build", "2026.1"],
        ["release", "export", "2026.1", "out"],
        ["state", "export", "out"],
        ["contractor", "list"],
        ["contractor", "add", "x1", "--site", "nanning", "--until", "2099-01-01"],
        ["contractor", "export", "gl-tech", "out"],
        ["glass", "freeze", "--reason", "drill", "--yes"],
        ["status", "--site", "liuzhou"],
        ["apply", "2026.1", "--site", "liuzhou", "--yes"],
    ],
)
def test_what_is_the_regions_is_refused(handed: Home, region: Home, words: list[str]) -> None:
    inventory = inventory_of(region)
    own = {"ROLLOUT_HOME": str(handed.root), "ROLLOUT_INVENTORY": inventory.path}
    done = subprocess.run(
        [sys.executable, "-m", "rollout.cli", *words],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    if words[0] != "apply":  # without a release it does not come so far
        assert "gl-tech" in done.stderr


def test_a_scope_that_was_changed_is_no_scope(handed: Home, tmp_path: Path) -> None:
    copy = Home(tmp_path / "home")
    (copy.keys / scope.REGION_KEY).write_bytes((handed.keys / scope.REGION_KEY).read_bytes())
    wider = json.loads((handed.root / scope.FILE).read_text())
    wider["sites"].append("liuzhou")
    (copy.root / scope.FILE).write_text(json.dumps(wider))
    signature = handed.root / f"{scope.FILE}.asc"
    (copy.root / signature.name).write_bytes(signature.read_bytes())
    with pytest.raises(VerificationError, match="changed after it was signed"):
        scope.of_home(copy)
    (copy.root / signature.name).unlink()
    with pytest.raises(VerificationError, match="missing"):
        scope.of_home(copy)


def test_the_journal_and_the_lease_name_the_contractor(handed: Home, region: Home) -> None:
    with opened(handed.journal) as journal:
        run = journal.run(journal.begin("apply", ["nanning"]))
    assert run
    assert run.who.startswith("gl-tech/")
    assert "/" not in scope.who(region.root)


def test_a_record_by_a_contractor_counts_at_its_sites_in_its_time(region: Home, handed: Home) -> None:
    said = b"a record"
    signature = Keyring(handed, "report").sign_detached(said)
    signer = verify_record(region, "nanning", said, signature, "the record")
    in_time(signer, clock.now(), "the record")
    with pytest.raises(VerificationError, match="after"):
        in_time(signer, clock.now() + timedelta(days=400), "the record")
    with pytest.raises(VerificationError):
        verify_record(region, "liuzhou", said, signature, "the record")
    ours = Keyring(region, "report").sign_detached(said)
    assert verify_record(handed, "nanning", said, ours, "the record").ends is None


def test_what_cannot_be(region: Home, tmp_path: Path) -> None:
    inventory = inventory_of(region)
    nanning = select(inventory, ["nanning"])
    with pytest.raises(ConfigurationError, match="that day is over"):
        contractors.add(region, "late", nanning, clock.now().date() - timedelta(days=1))
    with pytest.raises(ConfigurationError, match="ssh_key"):
        contractors.add(region, "badkey", nanning, NEXT_YEAR, 'command="sh" ssh-ed25519 AAAA')
    with pytest.raises(ConfigurationError, match="no contractor nobody"):
        contractors.remove(region, "nobody")
    capital = [site.model_copy(update={"kind": "region"}) for site in nanning]
    with pytest.raises(ConfigurationError, match="not at the region"):
        contractors.add(region, "capital", capital, NEXT_YEAR)
    broken = Home(tmp_path)
    (broken.root / "contractors.yml").write_text("- name: x")
    with pytest.raises(ConfigurationError, match=r"contractors.yml: 0"):
        contractors.load(broken)


def test_a_removed_one_is_out_and_its_past_stays(region: Home) -> None:
    nanning = select(inventory_of(region), ["nanning"])
    contractors.add(region, "short", nanning, NEXT_YEAR)
    assert any("short" in one.who for one in authorized.keys(region, "nanning"))
    contractors.remove(region, "short")
    assert not any("short" in one.who for one in authorized.keys(region, "nanning"))
    assert [one.name for one in contractors.load(region) if one.removed_at] == ["short"]
    with pytest.raises(ConfigurationError, match="no contractor short"):
        contractors.find(region, "short")


def test_a_line_of_authorized_keys() -> None:
    one = SiteKey.model_validate({"who": "gl-tech", "key": "ssh-ed25519 AAAA x", "until": "2026-12-31"})
    assert one.line() == 'expiry-time="20261231160000Z" ssh-ed25519 AAAA x'
