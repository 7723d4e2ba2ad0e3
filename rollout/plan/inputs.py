"""One digest over everything that goes into an apply: with it and reality unchanged, nothing is touched."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from rollout import clock, secrets
from rollout.inventory import Inventory, Site
from rollout.paths import Home

# What ansible reads of the content that ships with the tool.
_FOLDERS = ("playbooks", "plugins", "roles")
_FILES = ("ansible.cfg",)
_NO_INPUT = {".md", ".pyc"}


def input_sha256(
    manifest_sha256: str,
    site: Site,
    inventory: Inventory,
    content_root: Path,
    secrets_digest: str,
    *,
    keys: Sequence[str] = (),
) -> str:
    """The digest for one site.

    The region's entry is part of every city's: cities back up to the region and pull from it. ``keys`` are
    the lines of authorized_keys at the site.
    """
    regions = [one for one in inventory.sites.values() if one.kind == "region"]
    parts = {
        "manifest": manifest_sha256,
        "site": site.model_dump(mode="json"),
        "regions": [region.model_dump(mode="json") for region in regions],
        "variables": dict(_variables(Path(inventory.path), {site.name, *(one.name for one in regions)})),
        "content": dict(_content(content_root)),
        "secrets": secrets_digest,
        "keys": list(keys),
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


def _variables(folder: Path, sites: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """What an inventory says besides its sites; waivers are no input, nor variables of other sites' hosts."""
    for file in sorted(
        [folder / "kinds.yml", *folder.glob("group_vars/**/*"), *folder.glob("host_vars/**/*")]
    ):
        name = file.relative_to(folder)
        of_host = name.parts[1].removesuffix(".yml") if name.parts[0] == "host_vars" else ""
        if file.is_file() and (not of_host or of_host.rpartition("-")[0] in sites):
            yield name.as_posix(), _sha256(file)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
