"""One digest over everything that goes into an apply: with it and reality unchanged, nothing is touched."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from rollout import clock, secrets
from rollout.inventory import Inventory, Site
from rollout.paths import Home

# What ansible reads of the content that ships with the tool.
_FOLDERS = ("playbooks", "plugins", "roles")
_FILES = ("ansible.cfg",)
_NO_INPUT = {".md", ".pyc"}


def input_sha256(
    manifest_sha256: str, site: Site, inventory: Inventory, content_root: Path, secrets_digest: str
) -> str:
    """The digest for one site.

    The region's entry is part of every city's: cities back up to the region and pull from it.
    """
    regions = [one for one in inventory.sites.values() if one.kind == "region"]
    parts = {
        "manifest": manifest_sha256,
        "site": site.model_dump(mode="json"),
        "regions": [region.model_dump(mode="json") for region in regions],
        "variables": dict(_variables(Path(inventory.path))),
        "content": dict(_content(content_root)),
        "secrets": secrets_digest,
        "thirds": _thirds(site),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _thirds(site: Site) -> dict[str, int]:
    """Changes three times in the life of an outside system's API key: the role drop then renews old ones."""
    today = clock.now().toordinal()
    return {system.name: today // max(1, system.days // 3) for system in site.drop_systems}


def secrets_digest(home: Home, site: Site) -> str:
    """The digest of a site's secrets; a plan generates none, so before the first apply it is empty."""
    if not (home.root / "secrets" / site.name / "vault.yml").is_file():
        return ""
    return secrets.ensure(home, site).digest


def _content(root: Path) -> Iterator[tuple[str, str]]:
    for name in _FILES:
        if (root / name).is_file():
            yield name, _sha256(root / name)
    for folder in _FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.is_file() and file.suffix not in _NO_INPUT:
                yield file.relative_to(root).as_posix(), _sha256(file)


def _variables(folder: Path) -> Iterator[tuple[str, str]]:
    """What an inventory says besides its sites; waivers are no input."""
    for file in sorted(
        [folder / "kinds.yml", *folder.glob("group_vars/**/*"), *folder.glob("host_vars/**/*")]
    ):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), _sha256(file)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
