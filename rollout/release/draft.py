"""From resolved contents to the manifest and every file that is made here; nothing is written yet."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rollout.release import layout, repository, sums, wheels
from rollout.release.contents import Debs, Wheels, own_code
from rollout.release.manifest import Deb, Index, Manifest, Wheel
from rollout.release.sign import Keyring
from rollout.release.spec import Spec

_INSTALLER = Path(__file__).with_name("install.sh")


@dataclass(frozen=True)
class Draft:
    """A release build that has no serial yet."""

    manifest: Manifest  # with serial 1, which means nothing
    texts: dict[str, bytes]  # by path: every file of the build that is not a package or wheel


def draft(spec: Spec, debs: Debs, python: Wheels, keyring: Keyring) -> Draft:
    """The same contents and key give the same draft, byte for byte."""
    texts = _texts(spec, debs, python, keyring)
    return Draft(_manifest(spec, debs, python, texts), texts)


def _manifest(spec: Spec, debs: Debs, python: Wheels, texts: dict[str, bytes]) -> Manifest:
    """The manifest of the contents."""
    return Manifest(
        release=spec.release,
        serial=1,
        suite=spec.release,
        debs=_debs(debs),
        wheels=_wheels(python),
        indices=_indices(texts),
        packages=debs.packages,
        model_packages=debs.model_packages,
        platform=sorted(wheel.name for wheel in python.platform),
        control=sorted(wheel.name for wheel in python.control),
        installer=python.installer.name,
    )


def _texts(spec: Spec, debs: Debs, python: Wheels, keyring: Keyring) -> dict[str, bytes]:
    """Every file of the build that is made here, by path."""
    release = spec.release
    components = {layout.SITE: debs.of_site(), layout.CONTROL: debs.of_control()}
    found = repository.indices(release, debs.architecture, components)
    found |= repository.signatures(release, found[f"{layout.dists(release)}/Release"], keyring)
    found[layout.PUBLIC_KEY] = keyring.public_key()
    found[layout.PLATFORM_REQUIREMENTS] = wheels.requirements_text(python.platform).encode()
    found[layout.CONTROL_REQUIREMENTS] = wheels.requirements_text(python.control).encode()
    found[layout.CONTROL_PACKAGES] = "".join(f"{name}\n" for name in spec.packages.control).encode()
    found[layout.INSTALLER] = _INSTALLER.read_bytes()
    entries: list[Deb | Wheel | Index] = [*_debs(debs), *_wheels(python), *_indices(found)]
    found[layout.SUMS] = sums.text(entries)
    found[layout.SUMS_SIGNATURE] = keyring.sign_detached(found[layout.SUMS], keyring.created())
    return found


def _debs(debs: Debs) -> list[Deb]:
    return [
        Deb(
            name=deb.name,
            version=deb.version,
            architecture=deb.architecture,
            file=repository.pool_path(deb),
            size=deb.size,
            sha256=deb.sha256,
            protected=deb.name in debs.protected,
        )
        for deb in sorted(debs.debs.values(), key=lambda deb: deb.name)
    ]


def _wheels(python: Wheels) -> list[Wheel]:
    return [
        Wheel(
            name=wheel.name,
            version=wheel.version,
            file=f"{layout.WHEELS}/{wheel.file}",
            size=wheel.size,
            sha256=wheel.sha256,
            system=own_code(wheel.name, python.systems)[0],
            edition=own_code(wheel.name, python.systems)[1],
        )
        for wheel in python.all()
    ]


def _indices(texts: dict[str, bytes]) -> list[Index]:
    return [
        Index(file=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in sorted(texts.items())
    ]
