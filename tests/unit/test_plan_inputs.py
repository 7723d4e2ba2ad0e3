"""What goes into an apply: each part changes the digest, nothing else does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rollout import clock
from rollout.inventory import Inventory, Site
from rollout.inventory.model import DropSystem
from rollout.paths import Home
from rollout.plan.inputs import input_sha256, secrets_digest
from tests.unit.audit_samples import sha
from tests.unit.test_audit_waivers import inventory


class Inputs:
    def __init__(self, folder: Path) -> None:
        self.content = folder / "content"
        self.folder = folder
        for name in (
            "roles/edge/tasks/main.yml",
            "playbooks/site.yml",
            "plugins/modules/x.py",
            "ansible.cfg",
        ):
            self.write(name, name)
        (folder / "kinds.yml").write_text("plugin: x")
        self.manifest, self.secrets = sha("manifest"), "secrets"
        self.inventory: Inventory = inventory(folder)
        self.site: Site = self.inventory.sites["nanning"]

    def write(self, name: str, text: str) -> None:
        (self.content / name).parent.mkdir(parents=True, exist_ok=True)
        (self.content / name).write_text(text)

    def digest(self) -> str:
        return input_sha256(self.manifest, self.site, self.inventory, self.content, self.secrets)


def _region(inputs: Inputs) -> None:
    region = inputs.site.model_copy(update={"name": "guangxi", "kind": "region"})
    sites = {"guangxi": region, **inputs.inventory.sites}
    inputs.inventory = inputs.inventory.model_copy(update={"sites": sites})


def _group_vars(inputs: Inputs) -> None:
    (inputs.folder / "group_vars").mkdir()
    (inputs.folder / "group_vars" / "all.yml").write_text("a: 1")


CHANGES: dict[str, Callable[[Inputs], object]] = {
    "manifest": lambda i: setattr(i, "manifest", sha("x")),
    "secrets": lambda i: setattr(i, "secrets", "x"),
    "role": lambda i: i.write("roles/edge/tasks/main.yml", "x"),
    "new file in a role": lambda i: i.write("roles/edge/files/new", "x"),
    "playbook": lambda i: i.write("playbooks/site.yml", "x"),
    "plugin": lambda i: i.write("plugins/modules/x.py", "x"),
    "ansible.cfg": lambda i: i.write("ansible.cfg", "x"),
    "the site's entry": lambda i: setattr(i, "site", i.site.model_copy(update={"title": "x"})),
    "the region's entry": _region,
    "groups": lambda i: (i.folder / "kinds.yml").write_text("plugin: y"),
    "group variables": _group_vars,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_each_part_counts(tmp_path: Path, change: Callable[[Inputs], object]) -> None:
    inputs = Inputs(tmp_path)
    before = inputs.digest()
    assert inputs.digest() == before
    change(inputs)
    assert inputs.digest() != before


IRRELEVANT: dict[str, Callable[[Inputs], object]] = {
    "documentation": lambda i: i.write("roles/edge/README.md", "x"),
    "bytecode": lambda i: i.write("plugins/modules/__pycache__/x.cpython-311.pyc", "x"),
    "a waiver": lambda i: inventory(i.folder, "[]"),
    "another city": lambda i: i.inventory.sites.update(liuzhou=i.site.model_copy(update={"name": "liuzhou"})),
}


@pytest.mark.parametrize("change", IRRELEVANT.values(), ids=IRRELEVANT.keys())
def test_what_goes_into_no_apply_does_not_count(tmp_path: Path, change: Callable[[Inputs], object]) -> None:
    inputs = Inputs(tmp_path)
    before = inputs.digest()
    change(inputs)
    assert inputs.digest() == before


def test_a_plan_generates_no_secrets(tmp_path: Path) -> None:
    site = inventory(tmp_path).sites["nanning"]
    assert secrets_digest(Home(tmp_path / "home"), site) == ""
    assert not (tmp_path / "home" / "secrets").exists()


def test_an_outside_systems_key_is_looked_at_in_each_third_of_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = Inputs(tmp_path)
    drop = DropSystem(
        name="tax", keys=["ssh-ed25519 AAAA"], permissions=["socket.push"], divisions=["450100"], days=90
    )
    inputs.site = inputs.site.model_copy(update={"drop_systems": [drop]})
    digests = []
    for day in range(60):
        now = datetime(2026, 1, 1, tzinfo=clock.SHANGHAI) + timedelta(days=day)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        digests.append(inputs.digest())
    assert 2 <= len(set(digests)) <= 3
    assert len(set(digests[:20])) <= 2
