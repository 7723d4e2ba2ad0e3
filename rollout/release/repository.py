"""The depot's apt repository: its indices, made from what Debian's signed indices say about each package.

Two components, so that a host of a site never sees what only a control node needs: ``site`` and ``control``.
"""

import gzip
import hashlib
from collections.abc import Iterable, Mapping

from rollout.release import layout
from rollout.release.apt import Resolved
from rollout.release.sign import Keyring

# Without meaning: what orders releases is the serial. Fixed, so that the same packages give the same bytes.
_DATE = "Thu, 01 Jan 2026 00:00:00 UTC"


def pool_path(deb: Resolved) -> str:
    """Where a package lies in the build."""
    return f"{layout.POOL}/{deb.basename}"


def indices(suite: str, architecture: str, components: Mapping[str, Iterable[Resolved]]) -> dict[str, bytes]:
    """Packages, Packages.gz and Release by their path in the build; unsigned, the same every time."""
    below: dict[str, bytes] = {}
    for component, debs in components.items():
        packages = _packages(debs)
        folder = f"{component}/binary-{architecture}"
        below[f"{folder}/Packages"] = packages
        below[f"{folder}/Packages.gz"] = gzip.compress(packages, mtime=0)
    below["Release"] = _release(suite, architecture, list(components), below)
    return {f"{layout.dists(suite)}/{path}": content for path, content in below.items()}


def signatures(suite: str, release: bytes, keyring: Keyring) -> dict[str, bytes]:
    """InRelease and Release.gpg by their path in the build."""
    at = keyring.created()
    return {
        f"{layout.dists(suite)}/InRelease": keyring.clearsign(release, at),
        f"{layout.dists(suite)}/Release.gpg": keyring.sign_detached(release, at),
    }


def _packages(debs: Iterable[Resolved]) -> bytes:
    ordered = sorted(debs, key=lambda deb: deb.name)
    texts = [deb.stanza.moved(pool_path(deb).removeprefix(f"{layout.APT}/")) for deb in ordered]
    return "".join(f"{text}\n\n" for text in texts).encode()


def _release(suite: str, architecture: str, components: list[str], files: dict[str, bytes]) -> bytes:
    head = {
        "Origin": "jincai",
        "Label": "jincai",
        "Suite": suite,
        "Codename": suite,
        "Date": _DATE,
        "Architectures": architecture,
        "Components": " ".join(components),
        "Description": f"Debian packages of release {suite}",
    }
    lines = [f"{field}: {value}" for field, value in head.items()] + ["SHA256:"]
    lines += [
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {path}"
        for path, content in sorted(files.items())
    ]
    return ("\n".join(lines) + "\n").encode()
