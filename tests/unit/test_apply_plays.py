from pathlib import Path

import pytest

from rollout.apply.plays import plays
from rollout.apply.variables import release_variables
from rollout.errors import ConfigurationError
from rollout.paths import content
from tests.unit.test_apply_support import World, a_manifest


def test_the_site_s_playbooks_in_their_order() -> None:
    found = plays(content())
    assert [play.playbook for play in found] == sorted(play.playbook for play in found)
    assert {"storage", "etcd", "platform"} <= {play.name for play in found}
    assert all((content() / play.playbook).is_file() for play in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {name: X, ansible.builtin.import_playbook: site/none.yml}", "site/none.yml: no such playbook"),
        ("- {name: X, hosts: all}", "X: not an import of a playbook"),
    ],
)
def test_what_is_no_import_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "site.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        plays(tmp_path)


def test_every_host_is_told_its_exact_packages_and_only_approved_removals(tmp_path: Path) -> None:
    site = World(tmp_path).all_sites[0]
    found = release_variables(
        a_manifest(), site, Path("/keys/release.gpg"), {"hezhou-a": ["nmap", "ed"]}, manifest_sha256="f" * 64
    )
    assert found["release__build"] == "2026.1-3"
    assert found["release__manifest_sha256"] == "f" * 64
    assert found["release__rollback"] is False
    assert found["release__hosts"]["hezhou-a"] == {
        "install": ["etcd-server=3.4.23-4"],
        "remove": ["ed", "nmap"],
    }
    assert found["release__hosts"]["hezhou-b"]["remove"] == []
