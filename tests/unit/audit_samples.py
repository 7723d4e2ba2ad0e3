"""A release, a host that runs exactly it, and what its probes would say; tests change one thing at a time."""

import copy
import hashlib
from pathlib import Path
from typing import Any

from rollout.audit.build import Build
from rollout.audit.compare import compare
from rollout.audit.expect import Environment, HostExpectation
from rollout.audit.facts import HostFacts
from rollout.inventory import Host, Letter
from rollout.record import HostRecord, ManagedFile
from rollout.release.manifest import Deb, Manifest, Wheel

SITE_PACKAGES = "lib/python3.11/site-packages"
ROOT = "/opt/jincai/releases/2026.1-3/venv"
PIP = hashlib.sha256(b"pip\n").hexdigest()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def deb(name: str, version: str, architecture: str = "amd64") -> Deb:
    file = f"apt/pool/{name}_{version.replace(':', '%3a')}_{architecture}.deb"
    return Deb(name=name, version=version, architecture=architecture, file=file, size=1, sha256=sha(file))


def wheel(name: str, version: str, system: str | None = None) -> Wheel:
    file = f"wheels/{name.replace('-', '_')}-{version}-py3-none-any.whl"
    edition = "standard" if system else None
    return Wheel(
        name=name, version=version, file=file, size=1, sha256=sha(file), system=system, edition=edition
    )


DEBS = [
    deb("libc6", "2.36-9+deb12u13"),
    deb("ca-certificates", "20230311+deb12u1", "all"),
    deb("etcd-server", "3.4.23-4+b4"),
    deb("haproxy", "2.6.12-1+deb12u3"),
    deb("patroni", "3.0.2-1", "all"),
    deb("postgresql-15", "15.14-0+deb12u1"),
    deb("nginx-light", "1.22.1-9+deb12u3"),
]
WHEELS = [
    wheel("jincai", "1.0.0", "jincai"),
    wheel("jincai-budget", "1.0.0", "budget"),
    wheel("h11", "0.16.0"),
]
MANIFEST = Manifest(
    release="2026.1",
    serial=3,
    suite="2026.1",
    debs=DEBS,
    wheels=WHEELS,
    indices=[],
    packages={
        "minicomputer": [one.name for one in DEBS if one.name != "nginx-light"],
        "storage": ["libc6", "ca-certificates", "etcd-server", "nginx-light"],
        "control": [],
    },
    model_packages={"lab-mini": [], "lab-store": []},
    platform=[one.name for one in WHEELS],
    control=[],
)
BUILD = Build(MANIFEST, Path("/nowhere"))
WHEEL_FILES = {
    "jincai": {"jincai/__init__.py": sha("jincai"), "jincai-1.0.0.dist-info/METADATA": sha("m1")},
    "jincai-budget": {
        "jincai_budget/__init__.py": sha("budget"),
        "jincai_budget/routes.py": sha("routes"),
        "jincai_budget/migrations/0002_contract_old.sql": sha("sql"),
        "jincai_budget-1.0.0.dist-info/METADATA": sha("m2"),
    },
    "h11": {"h11/__init__.py": sha("h11"), "h11-0.16.0.dist-info/METADATA": sha("m3")},
}
ENVIRONMENT = Environment({one.name: one for one in WHEELS}, WHEEL_FILES)

FILE = ManagedFile(type="file", sha256=sha("haproxy.cfg"), mode="0644", owner="root", group="root")
LINK = ManagedFile(
    type="link", target="/opt/jincai/releases/2026.1-3", mode="0777", owner="root", group="root"
)
FOLDER = ManagedFile(type="directory", mode="0755", owner="root", group="root")
RECORD_A = HostRecord(
    files={
        "/etc/haproxy/haproxy.cfg": FILE,
        "/opt/jincai/current": LINK,
        "/etc/jincai": FOLDER,
        "/etc/systemd/system/jincai@.service": FILE,
        f"{ROOT}/pyvenv.cfg": FILE,
        f"{ROOT}/bin/python": FILE,
    },
    services={
        "etcd.service": True,
        "haproxy.service": True,
        "jincai@1.service": True,
        "patroni.service": True,
    },
)
RECORD_S = HostRecord(
    files={
        "/etc/nginx/nginx.conf": FILE,
        "/opt/jincai/current": LINK,
        f"{ROOT}/pyvenv.cfg": FILE,
        f"{ROOT}/bin/python": FILE,
    },
    services={"etcd.service": True, "nginx.service": True},
)


def host(letter: Letter = "a", site: str = "nanning") -> Host:
    model = "lab-store" if letter == "s" else "lab-mini"
    number = {"a": 11, "b": 12, "s": 13}[letter]
    return Host.model_validate(
        {"name": f"{site}-{letter}", "letter": letter, "address": f"198.18.1.{number}", "model": model}
    )


def expectation(letter: Letter = "a", record: HostRecord | str | None = "its") -> HostExpectation:
    own = RECORD_S if letter == "s" else RECORD_A
    return HostExpectation(
        host=host(letter),
        build=BUILD,
        packages=MANIFEST.debs_of("storage" if letter == "s" else "minicomputer"),
        environment=ENVIRONMENT,
        record=own if record == "its" else record,  # type: ignore[arg-type]
    )


def package(one: Deb) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "architecture": one.architecture,
        "want": "install",
        "flag": "ok",
        "state": "installed",
        "essential": one.name == "libc6",
    }


def unit(name: str, **more: str) -> dict[str, str]:
    return {
        "Id": name,
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "MainPID": "100",
        "NRestarts": "0",
        "FragmentPath": "/etc/systemd/system/jincai@.service"
        if "jincai" in name
        else f"/lib/systemd/system/{name}",
        "DropInPaths": "",
        "NeedDaemonReload": "no",
        **more,
    }


def component(code: str, dist: str) -> dict[str, str]:
    return {
        "code": code,
        "dist": dist,
        "name": code,
        "edition": "standard",
        "version": "1.0.0",
        "code_sha256": ENVIRONMENT.code[dist],
    }


def version(pid: int = 100) -> dict[str, Any]:
    """What ``/version`` of a right process says."""
    return {
        "platform": component("jincai", "jincai"),
        "systems": [component("budget", "jincai-budget")],
        "environment_sha256": ENVIRONMENT.sha256,
        "release": {"name": "2026.1", "serial": 3, "manifest_sha256": BUILD.sha256},
        "process": {
            "pid": pid,
            "started_at": "2026-11-24T09:00:00+08:00",
            "host": "nanning-a",
            "instance": "1",
        },
        "schema": {"jincai": "0001_expand_divisions", "budget": "0001_expand_indicators"},
    }


# Patroni 3.0.2, GET /cluster of a healthy site.
CLUSTER = {
    "members": [
        {
            "name": "nanning-a",
            "role": "leader",
            "state": "running",
            "api_url": "https://198.18.1.11:8008/patroni",
            "host": "198.18.1.11",
            "port": 5432,
            "timeline": 4,
        },
        {
            "name": "nanning-b",
            "role": "sync_standby",
            "state": "running",
            "api_url": "https://198.18.1.12:8008/patroni",
            "host": "198.18.1.12",
            "port": 5432,
            "timeline": 4,
            "lag": 0,
        },
    ]
}


def raw(letter: Letter = "a") -> dict[str, Any]:
    """What the probes of a right host print, as JSON; the caller may change it."""
    expected = expectation(letter)
    record = RECORD_S if letter == "s" else RECORD_A
    files = {path: one.model_dump() for path, one in record.files.items()}
    names = sorted(record.services)
    said: dict[str, Any] = {
        "packages": [package(one) for one in expected.packages.values()],
        "files": files,
        "venv": venv(),
        "units": {name: unit(name) for name in names},
        "processes": {name: {"pids": [100, 101], "deleted": []} for name in names},
        "machine": {
            "hostname": f"nanning-{letter}",
            "kernel": "6.1.0-37-amd64",
            "kernel_version": "6.1.140-1",
            "architecture": "x86_64",
            "boot_id": "642e48b3-f59d-4da8-a83a-f5d1db85c55c",
            "virtualisation": "none",
            "clock": 1795469560.9,
            "accepted": {"serial": 3},
            "data": [],
        },
        "answers": {"etcd": {"etcdserver": "3.4.23", "etcdcluster": "3.4.0"}},
        "seconds": 0.2,
    }
    if letter != "s":
        said["answers"] |= {
            "cluster": CLUSTER,
            "patroni": {"state": "running", "patroni": {"version": "3.0.2", "scope": "nanning"}},
            "postgresql": "15.14 (Debian 15.14-0+deb12u1)",
            "haproxy": "2.6.12-1+deb12u3",
            "jincai@1.service": version(),
        }
    return copy.deepcopy(said)


def venv() -> dict[str, Any]:
    files = {f"{SITE_PACKAGES}/{path}": digest for path, digest in ENVIRONMENT.all_files.items()}
    for name, one in ENVIRONMENT.wheels.items():
        folder = f"{SITE_PACKAGES}/{name.replace('-', '_')}-{one.version}.dist-info"
        files |= {f"{folder}/INSTALLER": PIP, f"{folder}/RECORD": sha(name), f"{folder}/REQUESTED": sha("")}
    files |= {"pyvenv.cfg": sha("haproxy.cfg"), "bin/python": "-> /usr/bin/python3", "lib64": "-> lib"}
    dists = [
        [name, one.version, f"{name.replace('-', '_')}-{one.version}.dist-info"]
        for name, one in ENVIRONMENT.wheels.items()
    ]
    return {"root": ROOT, "site_packages": SITE_PACKAGES, "files": files, "dists": dists}


def found(said: dict[str, Any], expected: HostExpectation | None = None) -> set[tuple[str, str]]:
    """(component, kind) of every finding about a host that says this."""
    return {(f.component, f.kind) for f in compare(expected or expectation(), HostFacts.model_validate(said))}
