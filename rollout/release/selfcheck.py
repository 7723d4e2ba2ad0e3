"""Whether the parts of a build agree. Each check yields what is wrong; the files were hashed before.

The signature says that the release key's owner made the manifest; these checks say that apt and pip, reading
their own indices on a host, will install exactly what the manifest says and nothing else.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from rollout.errors import VerificationError
from rollout.release import layout, sums
from rollout.release.manifest import Manifest
from rollout.release.sign import verify, verify_clearsigned
from rollout.release.spec import KINDS
from rollout.release.stanza import stanzas
from rollout.release.wheels import requirements_text

Check = Callable[[Path, Manifest, Path], Iterator[str]]


def needed_files_are_listed(_folder: Path, manifest: Manifest, _key: Path) -> Iterator[str]:
    """The files that apt, pip and the installer read are in the manifest; the other checks read them."""
    suite = layout.dists(manifest.suite)
    needed = {
        *(layout.PUBLIC_KEY, layout.PLATFORM_REQUIREMENTS, layout.CONTROL_REQUIREMENTS),
        *(layout.SUMS, layout.SUMS_SIGNATURE, layout.INSTALLER),
        *(f"{suite}/{name}" for name in ("Release", "Release.gpg", "InRelease")),
    }
    listed = {index.file for index in manifest.indices}
    yield from (f"{name}: not in the manifest" for name in sorted(needed - listed))
    yield from (f"{kind}: no such set of packages" for kind in sorted({*KINDS} - {*manifest.packages}))


def names_are_known(_folder: Path, manifest: Manifest, _key: Path) -> Iterator[str]:
    """Every name that a set mentions is a component, once."""
    debs = [deb.name for deb in manifest.debs]
    wheels = [wheel.name for wheel in manifest.wheels]
    twice = {name for names in (debs, wheels) for name in names if names.count(name) > 1}
    yield from (f"{name}: listed twice in the manifest" for name in sorted(twice))
    for where, names in {**manifest.packages, **manifest.model_packages}.items():
        yield from (
            f"{name}: {where} needs it, but it is not in the build" for name in sorted({*names} - {*debs})
        )
    python = {"platform": manifest.platform, "control": manifest.control, "installer": [manifest.installer]}
    for where, names in python.items():
        unknown = sorted({*names} - {*wheels})
        yield from (f"{name}: {where} needs it, but it is not in the build" for name in unknown)


def apt_is_signed(folder: Path, manifest: Manifest, key: Path) -> Iterator[str]:
    """InRelease and Release.gpg are the release key's, over the same text."""
    path = layout.dists(manifest.suite)
    release = (folder / path / "Release").read_bytes()
    try:
        verify(release, (folder / path / "Release.gpg").read_bytes(), key, f"{path}/Release.gpg")
        inline = verify_clearsigned((folder / path / "InRelease").read_bytes(), key, f"{path}/InRelease")
    except VerificationError as error:
        yield error.message
    else:
        if inline.strip() != release.strip():
            yield f"{path}/InRelease: another text than {path}/Release"


def release_lists_the_indices(folder: Path, manifest: Manifest, _key: Path) -> Iterator[str]:
    """The checksums in Release are those of the manifest, for every index of the suite."""
    path = layout.dists(manifest.suite)
    text = (folder / path / "Release").read_text(encoding="utf-8")
    listed = {
        f"{path}/{name}": (digest, int(size))
        for digest, size, name in re.findall(r"^ ([0-9a-f]{64}) +(\d+) (\S+)$", text, re.MULTILINE)
    }
    ours = {
        index.file: (index.sha256, index.size)
        for index in manifest.indices
        if index.file.startswith(f"{path}/") and index.file.count("/") > path.count("/") + 1
    }
    for name in sorted({*listed, *ours}):
        if listed.get(name) != ours.get(name):
            yield f"{path}/Release: {name} is not what the manifest lists"


def packages_are_the_manifests(folder: Path, manifest: Manifest, _key: Path) -> Iterator[str]:
    """Each component offers exactly the manifest's packages, by file, version and checksum."""
    names = {
        layout.SITE: {name for kind, of in manifest.packages.items() if kind != "control" for name in of},
        layout.CONTROL: set(manifest.packages["control"]),
    }
    names[layout.SITE].update(name for more in manifest.model_packages.values() for name in more)
    for component, wanted in names.items():
        for file in sorted((folder / layout.dists(manifest.suite) / component).glob("binary-*/Packages")):
            path = file.relative_to(folder).as_posix()
            offered = {
                stanza.name: (stanza.version, f"{layout.APT}/{stanza.get('Filename')}", stanza.get("SHA256"))
                for stanza in stanzas(file.read_text(encoding="utf-8"))
            }
            ours = {d.name: (d.version, d.file, d.sha256) for d in manifest.debs if d.name in wanted}
            for name in sorted({*offered, *ours}):
                if offered.get(name) != ours.get(name):
                    yield f"{path}: {name} is not what the manifest lists"
            if gzip.decompress(file.with_suffix(".gz").read_bytes()) != file.read_bytes():
                yield f"{path}.gz: another text than {path}"


def requirements_are_the_manifests(folder: Path, manifest: Manifest, _key: Path) -> Iterator[str]:
    """What pip is told to install is what the manifest lists."""
    lists = {
        layout.PLATFORM_REQUIREMENTS: manifest.platform,
        layout.CONTROL_REQUIREMENTS: manifest.control,
    }
    for path, names in lists.items():
        wheels = [wheel for wheel in manifest.wheels if wheel.name in set(names)]
        if (folder / path).read_text(encoding="utf-8") != requirements_text(wheels):
            yield f"{path}: not what the manifest lists"


def sums_are_the_manifests(folder: Path, manifest: Manifest, key: Path) -> Iterator[str]:
    """What a bare host checks with coreutils is what the manifest lists."""
    content = (folder / layout.SUMS).read_bytes()
    try:
        verify(content, (folder / layout.SUMS_SIGNATURE).read_bytes(), key, layout.SUMS_SIGNATURE)
    except VerificationError as error:
        yield error.message
    if content != sums.text(entry for entry in manifest.files().values()):
        yield f"{layout.SUMS}: not what the manifest lists"


def problems(folder: Path, manifest: Manifest, key: Path) -> list[str]:
    """Everything that is wrong; each check after the first relies on the first."""
    first = list(CHECKS[0](folder, manifest, key))
    return first or [problem for check in CHECKS[1:] for problem in check(folder, manifest, key)]


CHECKS: list[Check] = [
    needed_files_are_listed,
    names_are_known,
    apt_is_signed,
    release_lists_the_indices,
    packages_are_the_manifests,
    requirements_are_the_manifests,
    sums_are_the_manifests,
]
