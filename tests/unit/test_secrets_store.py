import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import yaml

from rollout.errors import VerificationError
from rollout.inventory import Host, Letter, Site
from rollout.paths import Home
from rollout.secrets import ensure, store, vault
from rollout.secrets.store import SiteSecrets

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def a_site(name: str = "yulin", first: int = 11) -> Site:
    letters: list[Letter] = ["a", "b", "s"]
    return Site.model_validate(
        {
            "name": name,
            "kind": "city",
            "title": "玉林市",
            "division": "450900",
            "network": "198.19.9.0/24",
            "vip": "198.19.9.10",
            "hosts": {
                letter: Host(
                    name=f"{name}-{letter}",
                    letter=letter,
                    address=IPv4Address(f"198.19.9.{first + number}"),
                    model="lab-mini",
                )
                for number, letter in enumerate(letters)
            },
        }
    )


def view(secrets: SiteSecrets) -> dict[str, Any]:
    password = secrets.password_file.read_bytes().strip()
    variables: dict[str, Any] = yaml.safe_load(
        vault.decrypt(secrets.site, password, secrets.vault_file.read_bytes(), "vault.yml")
    )
    return variables


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_ansible_vault_reads_every_variable(home: Home) -> None:
    secrets = ensure(home, a_site(), NOW)
    program = Path(sys.executable).with_name("ansible-vault")
    identity = f"{secrets.site}@{secrets.password_file}"
    shown = run(
        [program, "view", "--vault-id", identity, secrets.vault_file], capture_output=True, check=True
    )
    variables = yaml.safe_load(shown.stdout)
    assert variables == view(secrets)
    assert set(variables) == {"pki__ca", "pki__hosts", "pki__web", *store.GENERATED}
    assert set(variables["pki__hosts"]) == {"yulin-a", "yulin-b", "yulin-s"}
    assert set(variables["pki__web"]) == {"yulin-a", "yulin-b"}
    assert len(variables["secret__vrrp"]) == 8
    assert len({variables[name] for name in store.GENERATED}) == len(store.GENERATED)
    assert variables["pki__ca"] == secrets.ca_file.read_text()
    assert secrets.vault_file.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;yulin\n")


def test_nothing_but_the_ca_certificate_is_readable(home: Home) -> None:
    folder = ensure(home, a_site(), NOW).vault_file.parent
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes.pop("ca.pem") == 0o644
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in (folder / "ca.key").read_bytes()


def test_again_changes_nothing_not_even_the_files(home: Home) -> None:
    first = ensure(home, a_site(), NOW)
    before = {
        file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in first.vault_file.parent.iterdir()
    }
    second = ensure(home, a_site(), NOW + timedelta(days=100))
    after = {
        file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in first.vault_file.parent.iterdir()
    }
    assert after == before
    assert second.digest == first.digest


def test_sites_share_nothing(home: Home) -> None:
    one, other = ensure(home, a_site(), NOW), ensure(home, a_site("hezhou"), NOW)
    assert one.digest != other.digest
    assert not one.values & other.values


def test_leaves_are_renewed_in_time_and_passwords_kept(home: Home) -> None:
    first = ensure(home, a_site(), NOW)
    before = view(first)
    second = ensure(home, a_site(), NOW + timedelta(days=800))
    after = view(second)
    assert second.digest != first.digest
    assert after["pki__ca"] == before["pki__ca"]
    assert all(after["pki__hosts"][host] != before["pki__hosts"][host] for host in before["pki__hosts"])
    assert {name: after[name] for name in store.GENERATED} == {name: before[name] for name in store.GENERATED}


def test_a_moved_address_renews_just_those_certificates(home: Home) -> None:
    before = view(ensure(home, a_site(), NOW))
    moved = a_site()
    hosts = {**moved.hosts, "b": moved.hosts["b"].model_copy(update={"address": IPv4Address("198.19.9.77")})}
    after = view(ensure(home, moved.model_copy(update={"hosts": hosts}), NOW))
    changed = {h for h in before["pki__hosts"] if after["pki__hosts"][h] != before["pki__hosts"][h]}
    assert changed == {"yulin-b"}


def test_an_ending_ca_is_replaced_with_all_that_it_issued(home: Home) -> None:
    before = view(ensure(home, a_site(), NOW))
    after = view(ensure(home, a_site(), NOW + timedelta(days=3600)))
    assert after["pki__ca"] != before["pki__ca"]
    assert all(after["pki__hosts"][host] != before["pki__hosts"][host] for host in before["pki__hosts"])


class PowerCutError(Exception):
    pass


@pytest.mark.parametrize("cut", range(12))
def test_a_crash_anywhere_leaves_old_or_new_and_the_next_call_heals(
    home: Home, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """The n-th fsync or rename does not happen; what was there before must survive in full."""
    first = ensure(home, a_site(), NOW)
    before = view(first)
    count = 0

    def dying(real: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal count
            if count == cut:
                raise PowerCutError
            count += 1
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "replace", dying(Path.replace))
        try:
            ensure(home, a_site(), NOW + timedelta(days=3600))
        except PowerCutError:
            between = view(first)
            assert {n: between[n] for n in store.GENERATED} == {n: before[n] for n in store.GENERATED}
    healed = ensure(home, a_site(), NOW + timedelta(days=3600))
    after = view(healed)
    assert after["pki__ca"] == healed.ca_file.read_text() != before["pki__ca"]
    assert {n: after[n] for n in store.GENERATED} == {n: before[n] for n in store.GENERATED}
    assert not [file for file in healed.vault_file.parent.iterdir() if file.name.count(".") > 1]


def test_a_lost_vault_password_is_never_replaced(home: Home) -> None:
    secrets = ensure(home, a_site(), NOW)
    envelope = secrets.vault_file.read_bytes()
    secrets.password_file.unlink()
    with pytest.raises(VerificationError, match=r"vault-password is missing.*vault\.yml and ca\.key.*yulin"):
        ensure(home, a_site(), NOW)
    assert secrets.vault_file.read_bytes() == envelope


def test_a_wrong_vault_password_names_the_file_and_keeps_it(home: Home) -> None:
    secrets = ensure(home, a_site(), NOW)
    secrets.password_file.write_text("another\n")
    with pytest.raises(VerificationError, match=r"ca\.key: cannot be decrypted") as caught:
        ensure(home, a_site(), NOW)
    assert "another" not in str(caught.value)


def test_repr_shows_no_secret(home: Home) -> None:
    secrets = ensure(home, a_site(), NOW)
    assert secrets.values
    assert not [value for value in secrets.values if value in repr(secrets)]
