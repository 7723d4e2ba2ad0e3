"""A secret that is renewed: the same new value however often a run is stopped; the old one until the end."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from rollout import secrets
from rollout.errors import ConfigurationError
from rollout.glass.scram import verifier
from rollout.inventory import Site, load
from rollout.paths import Home
from rollout.secrets import rotation, vault
from rollout.secrets.store import GENERATED
from tests.lab.city import write_inventory


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def site(home: Home, tmp_path: Path) -> Site:
    site = load(write_inventory(tmp_path / "inventory")).sites["testcity"]
    secrets.ensure(home, site)
    return site


def text(home: Home, site: Site) -> str:
    folder = home.secrets(site.name)
    password = (folder / "vault-password").read_bytes().strip()
    return vault.decrypt(site.name, password, (folder / "vault.yml").read_bytes(), "vault").decode()


def test_stopped_and_begun_again_it_is_the_same_new_value(home: Home, site: Site) -> None:
    before = secrets.ensure(home, site)
    first, again = rotation.begin(home, site.name, "jincai_app")
    assert not again
    assert first.old in before.values
    assert first.new != first.old
    assert first.new in text(home, site)
    assert first.old not in text(home, site)
    second, again = rotation.begin(home, site.name, "jincai_app")
    assert again
    assert second == first
    # Neither may stand in a log meanwhile, and the digest is that of the new vault alone.
    during = secrets.ensure(home, site)
    assert {first.old, first.new} <= during.values
    rotation.finish(home, site.name)
    after = secrets.ensure(home, site)
    assert after.digest == during.digest != before.digest
    assert first.old not in after.values
    assert rotation.going_on(home, site.name) is None


def test_killed_before_the_vault_was_written_it_goes_on(
    home: Home, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = rotation.write

    def killed(path: Path, content: bytes, mode: int = 0o600) -> None:
        if path.name == "vault.yml":
            raise KeyboardInterrupt
        written(path, content, mode)

    monkeypatch.setattr(rotation, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        rotation.begin(home, site.name, "jincai_app")
    monkeypatch.undo()
    found = rotation.going_on(home, site.name)
    assert found
    assert found.old in text(home, site)
    assert rotation.begin(home, site.name, "jincai_app") == (found, True)
    assert found.new in text(home, site)


def test_one_at_a_time_and_not_everything(home: Home, site: Site) -> None:
    rotation.begin(home, site.name, "jincai_app")
    with pytest.raises(ConfigurationError, match="jincai_app is being renewed"):
        rotation.begin(home, site.name, "patroni_api")
    with pytest.raises(ConfigurationError, match="none of them could be read"):
        rotation.check("backup_cipher")
    with pytest.raises(ConfigurationError, match="no such secret"):
        rotation.check("nonsense")
    assert {*rotation.NAMES, *rotation.REFUSED} == {name.removeprefix("secret__") for name in GENERATED}


def test_nothing_is_readable_on_the_disk(home: Home, site: Site) -> None:
    found, _ = rotation.begin(home, site.name, "jincai_app")
    for file in home.secrets(site.name).iterdir():
        content = file.read_bytes()
        assert found.new.encode() not in content
        assert found.old.encode() not in content


def test_a_verifier_proves_the_password() -> None:
    salt = bytes(range(16))
    kept = verifier("Xk29fQmZ71pLw0", salt)
    method, counted, keys = kept.split("$")
    assert (method, counted) == ("SCRAM-SHA-256", f"4096:{base64.b64encode(salt).decode()}")
    stored, server = (base64.b64decode(part) for part in keys.split(":"))
    salted = hashlib.pbkdf2_hmac("sha256", b"Xk29fQmZ71pLw0", salt, 4096)
    assert hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == stored
    assert hmac.digest(salted, b"Server Key", "sha256") == server
    assert verifier("Xk29fQmZ71pLw0") != kept
    with pytest.raises(ValueError, match="ASCII"):
        verifier("密码")
