"""What the playbooks are told about the release: ``release__*``, as a file of extra variables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rollout.audit import payload
from rollout.audit.expect import wanted
from rollout.inventory import Site
from rollout.release.manifest import Manifest


def release_variables(
    manifest: Manifest,
    site: Site,
    public_key: Path,
    remove: Mapping[str, Sequence[str]],
    *,
    manifest_sha256: str,
    rollback: bool = False,
) -> dict[str, Any]:
    """The variables for one site.

    Args:
        manifest: of the verified build.
        site: whose hosts get the exact packages of their kind and model.
        public_key: the release key's public half on this control node.
        remove: host → the packages that the approved plan named for removal; nothing else is removed.
        manifest_sha256: the manifest's digest.
        rollback: whether going back to an older serial was asked for.
    """
    installer = next((wheel.file for wheel in manifest.wheels if wheel.name == manifest.installer), "")
    return {
        "release__name": manifest.release,
        "release__serial": manifest.serial,
        "release__build": manifest.build,
        "release__manifest_sha256": manifest_sha256,
        "release__systems": {wheel.system: wheel.name for wheel in manifest.systems()},
        "release__rollback": rollback,
        "release__public_key": str(public_key),
        "release__pip_wheel": installer,
        "auditor__pins": {
            host.name: payload.pins(wanted(host, None)) for host in site.hosts.values() if site.auditors
        },
        "release__hosts": {
            host.name: {
                "install": [
                    f"{deb.name}={deb.version}"
                    for deb in sorted(
                        manifest.debs_of(host.kind, host.model).values(), key=lambda deb: deb.name
                    )
                ],
                "remove": sorted(remove.get(host.name, ())),
            }
            for host in site.hosts.values()
        },
    }
