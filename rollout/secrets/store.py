"""One site's secrets: generated once, kept, renewed in time. Never printed, never logged.

The files in ``Home().secrets(site)`` are written in an order in which each can be made from those before
it, so a crash between two of them is healed by the next call:
``vault-password`` → ``ca.key`` (key and certificate, encrypted) → ``ca.pem`` → ``vault.yml`` (encrypted).
"""

import hashlib
import json
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from rollout.errors import VerificationError
from rollout.files import locked, write
from rollout.inventory import Site
from rollout.paths import Home
from rollout.secrets import pki, vault

_KEEPALIVED_LIMIT = 8  # characters of a VRRP password that keepalived reads
_ALPHABET = string.ascii_letters + string.digits


def _password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(32))


def _vrrp() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEEPALIVED_LIMIT))


GENERATED: dict[str, Callable[[], str]] = {
    "secret__postgres_superuser": _password,
    "secret__postgres_replication": _password,
    "secret__postgres_rewind": _password,
    "secret__jincai_owner": _password,
    "secret__jincai_app": _password,
    "secret__jincai_auth": _password,
    "secret__patroni_api": _password,
    "secret__backup_cipher": _password,
    "secret__vrrp": _vrrp,
    "secret__metrics": secrets.token_urlsafe,
}


@dataclass(frozen=True)
class SiteSecrets:
    """Where a site's secrets are, and a digest that changes when any of them does."""

    site: str
    vault_file: Path
    password_file: Path
    ca_file: Path
    digest: str
    # The decrypted values, to keep them out of logs and artifacts; hidden from repr.
    values: frozenset[str] = field(repr=False)

    def arguments(self) -> list[str]:
        """What ``ansible-playbook`` needs to read them."""
        return ["--vault-id", f"{self.site}@{self.password_file}", "-e", f"@{self.vault_file}"]


def ensure(home: Home, site: Site, now: datetime | None = None) -> SiteSecrets:
    """Generates what is missing, renews what ends in fewer than 60 days, keeps everything else."""
    now = now or datetime.now(UTC)
    folder = home.secrets(site.name)
    with locked(folder):
        password = _vault_password(folder, site.name)
        ca = _ca(folder, site.name, password, now)
        values = _variables(folder, site, password, ca, now)
        former = _rotating(folder, site.name, password)
    return SiteSecrets(
        site=site.name,
        vault_file=folder / "vault.yml",
        password_file=folder / "vault-password",
        ca_file=folder / "ca.pem",
        digest=_digest(values),
        values=frozenset(_texts({k: v for k, v in values.items() if k != "pki__ca"})) | former,
    )


def subjects(site: Site) -> list[pki.Subject]:
    """Whom the site's certificates name; the VIP moves between the minicomputers, so both carry it."""
    return [
        pki.Subject(host.name, (host.address, site.vip) if host.kind == "minicomputer" else (host.address,))
        for host in site.hosts.values()
    ]


def _vault_password(folder: Path, site: str) -> bytes:
    file = folder / "vault-password"
    if file.is_file():
        return file.read_bytes().strip()
    locked_in = [name for name in ("vault.yml", "ca.key") if (folder / name).is_file()]
    if locked_in:
        raise VerificationError(
            f"{file} is missing, and {' and '.join(locked_in)} of site {site} cannot be read without it",
            "Bring the folder back with `rollout state import`; new secrets would lock the site's data out.",
        )
    password = secrets.token_urlsafe(48).encode()
    write(file, password + b"\n")
    return password


def _ca(folder: Path, site: str, password: bytes, now: datetime) -> pki.Pair:
    file = folder / "ca.key"
    ca = None
    if file.is_file():
        key, _, rest = (
            vault.decrypt(site, password, file.read_bytes(), str(file)).decode().partition(_AFTER_KEY)
        )
        ca = pki.Pair(certificate=rest.lstrip("\n"), key=key + _AFTER_KEY + "\n")
    if ca is None or not pki.ca_holds(ca, now):
        ca = pki.new_ca(site, now)
        write(file, vault.encrypt(site, password, (ca.key + ca.certificate).encode()))
    public = folder / "ca.pem"
    if not public.is_file() or public.read_text() != ca.certificate:
        write(public, ca.certificate.encode(), 0o644)
    return ca


_AFTER_KEY = "-----END PRIVATE KEY-----"


def _variables(folder: Path, site: Site, password: bytes, ca: pki.Pair, now: datetime) -> dict[str, Any]:
    file = folder / "vault.yml"
    before: dict[str, Any] = {}
    if file.is_file():
        before = yaml.safe_load(vault.decrypt(site.name, password, file.read_bytes(), str(file))) or {}
    after = {
        "pki__ca": ca.certificate,
        "pki__hosts": {
            subject.name: _host(before.get("pki__hosts", {}).get(subject.name), ca, subject, now)
            for subject in subjects(site)
        },
        # What faces users: good for a server only, never for a client of etcd or the repository.
        "pki__web": {
            subject.name: _host(before.get("pki__web", {}).get(subject.name), ca, subject, now, client=False)
            for subject in subjects(site)
            if subject.name != site.storage.name
        },
        **{name: before.get(name) or generate() for name, generate in GENERATED.items()},
    }
    if after != before:
        text = yaml.safe_dump(after, sort_keys=True)
        write(file, vault.encrypt(site.name, password, text.encode()))
    return after


def _host(
    before: dict[str, str] | None, ca: pki.Pair, subject: pki.Subject, now: datetime, *, client: bool = True
) -> dict[str, str]:
    if before and pki.leaf_holds(pki.Pair(**before), ca, subject, now, client=client):
        return before
    leaf = pki.new_leaf(ca, subject, now, client=client)
    return {"certificate": leaf.certificate, "key": leaf.key}


def _rotating(folder: Path, site: str, password: bytes) -> frozenset[str]:
    """Both values of a secret that is being renewed (`secrets.rotation`): neither belongs in a log."""
    file = folder / "rotating.yml"
    if not file.is_file():
        return frozenset()
    found = yaml.safe_load(vault.decrypt(site, password, file.read_bytes(), str(file)))
    return frozenset({str(found["old"]), str(found["new"])})


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _texts(node: object) -> list[str]:
    if isinstance(node, dict):
        return [text for key, value in node.items() if key != "certificate" for text in _texts(value)]
    return [str(node).strip()]
