"""Every way an inventory can be wrong is refused before any connection, naming file and key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout.errors import ConfigurationError
from rollout.inventory import load, select
from rollout.paths import content

LAB = content() / "inventory" / "lab"
DROP = {
    "name": "tax",
    "keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample tax office"],
    "permissions": ["socket.push"],
    "divisions": ["450100"],
    "days": 365,
}
Change = Callable[[dict[str, Any]], object]


def write(folder: Path, change: Change) -> Path:
    """A copy of the lab's inventory with one change."""
    document = yaml.safe_load((LAB / "hosts.yml").read_text())
    change(document["all"]["children"])
    (folder / "hosts.yml").write_text(yaml.safe_dump(document, allow_unicode=True))
    return folder


def test_the_lab_inventory_is_good() -> None:
    inventory = load(LAB)
    assert next(iter(inventory.sites)) == "guangxi"
    assert [host.name for host in inventory.sites["nanning"].hosts.values()] == [
        "nanning-a",
        "nanning-b",
        "nanning-s",
    ]
    assert inventory.sites["nanning"].storage.kind == "storage"


def test_outside_systems_with_a_file_socket(tmp_path: Path) -> None:
    drop = {"drop__systems": [DROP], "drop__networks": ["192.0.2.0/24"]}
    site = load(write(tmp_path, lambda s: s["nanning"]["vars"].update(drop))).sites["nanning"]
    assert [system.name for system in site.drop_systems] == ["tax"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["nanning"]["hosts"].pop("nanning-b"), "nanning.hosts.nanning-b: missing"),
        (
            lambda s: s["nanning"]["hosts"]["nanning-b"].update(ansible_host="198.18.1.11"),
            "nanning.hosts.nanning-b.ansible_host: 198.18.1.11 is already the address of",
        ),
        (
            lambda s: s["nanning"]["vars"].update(site__vip="198.18.1.12"),
            "198.18.1.12 is already the address of",
        ),
        (
            lambda s: s["nanning"]["hosts"].update({"nanning-c": {}}),
            "nanning.hosts.nanning-c: not a host of nanning",
        ),
        (
            lambda s: s["nanning"]["hosts"]["nanning-a"].update(hardware__model="vax"),
            "nanning.hosts.nanning-a.hardware__model: no such model 'vax'",
        ),
        (
            lambda s: s["nanning"]["hosts"]["nanning-a"].update(hardware__model="lab-store"),
            "lab-store is a storage, nanning-a must be a minicomputer",
        ),
        (
            lambda s: s["nanning"]["hosts"]["nanning-a"].update(postgres__version="14"),
            "nanning-a.postgres__version: versions are set by the release",
        ),
        (
            lambda s: s["nanning"]["vars"].update(etcd_version="3.5"),
            "etcd_version: versions are set by the release",
        ),
        (lambda s: s["nanning"]["vars"].update(colour="red"), "nanning.vars.colour: not a site variable"),
        (lambda s: s["nanning"]["vars"].pop("site__vip"), "nanning.vars.site__vip"),
        (lambda s: s["nanning"]["vars"].update(site__network="198.18.2.0/24"), "is outside site__network"),
        (
            lambda s: s["nanning"]["vars"].update(site__kind="region"),
            "more than one site has site__kind: region",
        ),
        (
            lambda s: s["nanning"]["hosts"]["nanning-a"].update(ansible_host="nowhere"),
            "nanning-a.ansible_host",
        ),
        (
            lambda s: s["nanning"]["vars"].update(drop__systems=[DROP], drop__networks=[]),
            "drop__networks: the outside systems of drop__systems need a network",
        ),
        (
            lambda s: s["nanning"]["vars"].update(
                drop__systems=[DROP, DROP], drop__networks=["192.0.2.0/24"]
            ),
            "drop__systems: tax appears more than once",
        ),
        (
            lambda s: s["nanning"]["vars"].update(
                drop__systems=[DROP | {"keys": ['command="sh" ssh-rsa AAAA']}]
            ),
            "nanning.vars.drop__systems.0.keys.0: String should match",
        ),
        (
            lambda s: s["nanning"]["vars"].update(drop__systems=[DROP | {"shell": "bash"}]),
            "nanning.vars.drop__systems.0.shell: Extra inputs",
        ),
        (
            lambda s: s["nanning"]["vars"].update(drop__networks=["192.0.2.1/24"]),
            "nanning.vars.drop__networks.0: ",
        ),
        (lambda s: s["nanning"]["vars"].update(kind="city"), "nanning.vars.kind: not a site variable"),
        (lambda s: s.update(nanning=None), "nanning: expected vars and hosts"),
    ],
)
def test_a_bad_inventory_is_refused(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, change))
    assert said in str(caught.value)
    assert str(tmp_path / "hosts.yml") in str(caught.value)


@pytest.mark.parametrize("folder", ["group_vars", "host_vars"])
def test_a_version_below_region_level_is_refused(tmp_path: Path, folder: str) -> None:
    write(tmp_path, lambda _: None)
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "nanning.yml").write_text("platform:\n  release: 2026.2\n")
    with pytest.raises(
        ConfigurationError, match=r"platform\.release: versions are set by the release"
    ) as caught:
        load(tmp_path)
    assert f"{folder}/nanning.yml" in str(caught.value)


def test_what_is_no_yaml_and_what_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"hosts\.yml is missing"):
        load(tmp_path)
    (tmp_path / "hosts.yml").write_text("all: [")
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        load(tmp_path)
    (tmp_path / "hosts.yml").write_text("- a list")
    with pytest.raises(ConfigurationError, match="expected a mapping"):
        load(tmp_path)


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    def two(sites: dict[str, Any]) -> None:
        sites["nanning"]["hosts"].pop("nanning-b")
        sites["liuzhou"]["hosts"]["liuzhou-a"]["hardware__model"] = "vax"

    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, two))
    assert "nanning-b: missing" in str(caught.value)
    assert "'vax'" in str(caught.value)


def test_an_unknown_site_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown site nowhere") as caught:
        select(load(LAB), ["nowhere"])
    assert "nanning" in caught.value.hint
