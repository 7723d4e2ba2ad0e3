"""What a release contains: versions of our systems and of what people ask for first."""

from typing import Any

from rollout.release.manifest import Manifest

# Packages whose version people ask for first; of a series (postgresql-15) whichever the release has.
NOTABLE = ("postgresql-", "patroni", "etcd-server", "haproxy", "keepalived", "pgbackrest", "nginx")


def summary(manifest: Manifest) -> dict[str, Any]:
    """The release as plain data (``rollout release show --json``); sizes in bytes."""
    debs = {deb.name: deb for deb in manifest.debs}
    python = {wheel.name: wheel for wheel in manifest.wheels}
    return {
        "release": manifest.release,
        "serial": manifest.serial,
        "build": manifest.build,
        "manifest_sha256": manifest.sha256(),
        "systems": [
            {"system": wheel.system, "dist": wheel.name, "version": wheel.version, "edition": wheel.edition}
            for wheel in manifest.systems()
        ],
        "packages": {name: debs[name].version for name in sorted(debs) if _notable(name)},
        "tools": {name: python[name].version for name in ("rollout", "ansible-core") if name in python},
        "counts": {
            **{f"packages of {kind}": len(names) for kind, names in manifest.packages.items()},
            **{
                f"packages of model {name}": len(more)
                for name, more in manifest.model_packages.items()
                if more
            },
            "wheels of the platform": len(manifest.platform),
            "wheels of the control node": len(manifest.control),
        },
        "bytes": {
            "packages": sum(deb.size for deb in manifest.debs),
            "wheels": sum(wheel.size for wheel in manifest.wheels),
            "total": sum(entry.size for entry in manifest.files().values()),
        },
    }


def _notable(name: str) -> bool:
    return any(
        name == prefix or (prefix.endswith("-") and name.removeprefix(prefix).isdigit()) for prefix in NOTABLE
    )
