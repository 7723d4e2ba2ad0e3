"""A small release of made-up packages and wheels, real in form, for tests: built in milliseconds, no network.

dpkg, apt and pip can read and install what this makes.
"""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rollout.paths import Home
from rollout.release import ledger
from rollout.release.apt import Resolved
from rollout.release.build import Built, assemble
from rollout.release.contents import Debs, Wheels
from rollout.release.draft import draft
from rollout.release.sign import Keyring
from rollout.release.spec import Packages, Requirements, Spec, System
from rollout.release.stanza import Stanza
from rollout.release.store import Store
from rollout.release.wheels import WheelFile, describe

ARCHITECTURE = "amd64"
_TIME = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Content:
    """What the made-up release contains: versions by name. Change one to get another content."""

    release: str = "2026.1"
    minicomputer: Mapping[str, str] = field(
        default_factory=lambda: {"base-made-up": "1.0", "haproxy": "2.6.1-1"}
    )
    storage: Mapping[str, str] = field(
        default_factory=lambda: {"base-made-up": "1.0", "nginx-light": "1:1.22-9"}
    )
    control: Mapping[str, str] = field(default_factory=lambda: {"base-made-up": "1.0", "gnupg": "2.2"})
    models: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"mini-x": {"firmware-x": "7"}})
    platform: Mapping[str, str] = field(default_factory=lambda: {"fastapi": "0.1"})
    systems: Mapping[str, str] = field(default_factory=lambda: {"jincai": "1.0.0", "jincai-budget": "1.0.0"})
    tools: Mapping[str, str] = field(default_factory=lambda: {"rollout": "0.1.0"})
    # More files in a wheel, by dist: path -> content.
    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)


def build(home: Home, content: Content | None = None, serial: int | None = None) -> Built:
    """Builds, signs and publishes a made-up release in ``home``, as ``rollout release build`` would."""
    content = content or Content()
    with ledger.lock(home):
        keyring = Keyring(home, "release")
        keyring.ensure()
        store = Store(home.cache)
        drafted = draft(_spec(content), _debs(content, store), _wheels(content, store), keyring)
        return assemble(home, drafted, keyring, serial)


def deb(name: str, version: str, **fields: str) -> bytes:
    """A Debian package that contains one file, ``/usr/share/made-up/<name>``."""
    control = {
        "Package": name,
        "Version": version,
        "Architecture": "all",
        "Maintainer": "nobody <nobody@invalid>",
        "Description": "made up",
        **{key.replace("_", "-"): value for key, value in fields.items()},
    }
    text = "".join(f"{key}: {value}\n" for key, value in control.items()).encode()
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _tar({"./control": text}),
        "data.tar.gz": _tar({f"./usr/share/made-up/{name}": f"{name} {version}\n".encode()}),
    }
    archive = b"!<arch>\n"
    for member, data in members.items():
        archive += f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        archive += data + b"\n" * (len(data) % 2)
    return archive


def resolved(name: str, version: str, content: bytes, **fields: str) -> Resolved:
    """A package as a solve returns it, with the stanza that an index would have."""
    digest = hashlib.sha256(content).hexdigest()
    file = f"pool/main/{name}_{version.partition(':')[2] or version}_all.deb"
    lines = {
        "Package": name,
        "Version": version,
        "Architecture": "all",
        **{key.replace("_", "-"): value for key, value in fields.items()},
        "Filename": file,
        "Size": str(len(content)),
        "SHA256": digest,
        "Description": "made up",
    }
    stanza = Stanza("\n".join(f"{key}: {value}" for key, value in lines.items()))
    return Resolved(name, version, "all", len(content), digest, stanza)


def wheel(name: str, version: str, files: Mapping[str, bytes] | None = None, script: str = "") -> bytes:
    """A pure wheel with one module, and with a console script when ``script`` names its function."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    content = {
        f"{module}/__init__.py": f'__version__ = "{version}"\n'.encode(),
        **(files or {}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {script}\n".encode()
    record = "".join(f"{path},sha256={_urlsafe(data)},{len(data)}\n" for path, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in content.items():
            archive.writestr(zipfile.ZipInfo(path, _TIME), data)
    return buffer.getvalue()


def _spec(content: Content) -> Spec:
    return Spec(
        release=content.release,
        debian="bookworm",
        packages=Packages(base=["base-made-up"], minicomputer=[], storage=[], control=list(content.control)),
        requirements=Requirements(platform="none", control="none"),
        systems=[],
    )


def _debs(content: Content, store: Store) -> Debs:
    kinds = {"minicomputer": content.minicomputer, "storage": content.storage, "control": content.control}
    found = {}
    for versions in [*kinds.values(), *content.models.values()]:
        for name, version in versions.items():
            data = deb(name, version)
            found[name] = resolved(name, version, data)
            _keep(store, data)
    return Debs(
        architecture=ARCHITECTURE,
        debs=found,
        packages={kind: sorted(versions) for kind, versions in kinds.items()},
        model_packages={model: sorted(versions) for model, versions in content.models.items()},
        protected={"base-made-up", *(name for more in content.models.values() for name in more)},
    )


def _wheels(content: Content, store: Store) -> Wheels:
    def made(versions: Mapping[str, str]) -> list[WheelFile]:
        return [_wheel(name, version, content.files.get(name), store) for name, version in versions.items()]

    systems = {
        dist: System(code=_code(dist), dist=dist, version=None, source="none") for dist in content.systems
    }
    return Wheels(
        platform=[*made(content.platform), *made(content.systems)],
        control=made(content.tools),
        installer=made({"pip": "26.3"})[0],
        systems=systems,
    )


def _code(dist: str) -> str:
    """``jincai-budget-lite`` is an edition of ``budget``."""
    return dist.split("-")[1] if "-" in dist else dist


def _wheel(name: str, version: str, files: Mapping[str, bytes] | None, store: Store) -> WheelFile:
    data = wheel(name, version, files, script=f"{name}:main" if name == "rollout" else "")
    digest = _keep(store, data)
    return describe(f"{name.replace('-', '_')}-{version}-py3-none-any.whl", len(data), digest)


def _keep(store: Store, data: bytes) -> str:
    file = store.root / "made-up"
    file.write_bytes(data)
    return store.add(file)


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder in sorted({parent.as_posix() for path in files for parent in PurePosixPath(path).parents}):
            entry = tarfile.TarInfo(folder if folder == "." else f"./{folder}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
