"""`rollout contractor export`: one encrypted file, a control node for a contractor's cities."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from rollout import clock, secrets
from rollout.access import authorized, scope
from rollout.access.contractors import Identity
from rollout.access.model import Contractor, Scope
from rollout.apply import state
from rollout.errors import ConfigurationError
from rollout.files import write
from rollout.inventory import Inventory, Site, select
from rollout.paths import Home
from rollout.release.sign import Keyring

_VARIABLES = ("kinds.yml", "group_vars")


def export(home: Home, inventory: Inventory, contractor: Contractor, file: Path, passphrase: str) -> Scope:
    """Writes the file whole or not at all.

    In it: the inventory of their sites and the region's entry, those sites' vaults and issuing CAs, records
    and host keys; the public release key and the region's public report key; their own keys; the scope.
    Builds come by `rollout release export`. Nothing of another city is in it.

    Raises:
        ConfigurationError: a site of theirs has no known host keys, or the file cannot be written.
    """
    sites = select(inventory, contractor.sites)
    with tempfile.TemporaryDirectory(prefix="rollout-contractor-") as folder:
        made = Home(Path(folder) / "home")
        made.root.mkdir(mode=0o700)
        _inventory(Path(inventory.path), made.root / "inventory", inventory, sites)
        _keys(home, made, contractor)
        _known_hosts(home, made, sites)
        for site in sites:
            secrets.ensure(home, site)
            kept = ("vault-password", "vault.yml", "ca.key", "ca.pem")
            _copy((home.secrets(site.name) / name for name in kept), made.secrets(site.name))
            records = (home.records / f"{site.name}.json{end}" for end in ("", ".asc"))
            _copy(records, made.records)
        limited = _scope(home, made, contractor, sites)
        state.export(made, file, passphrase)
    return limited


def _inventory(source: Path, target: Path, inventory: Inventory, sites: list[Site]) -> None:
    """Their sites, and the region's entry: every site's configuration names the region's hosts."""
    target.mkdir()
    wanted = {site.name for site in sites} | {n for n, one in inventory.sites.items() if one.kind == "region"}
    document = yaml.safe_load((source / "hosts.yml").read_text(encoding="utf-8"))
    children = document["all"]["children"]
    document["all"]["children"] = {name: entry for name, entry in children.items() if name in wanted}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    (target / "hosts.yml").write_text(text, encoding="utf-8")
    for name in _VARIABLES:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        elif (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    for entry in (source / "host_vars").glob("*"):
        if entry.name.removesuffix(".yml").rpartition("-")[0] in wanted:
            (target / "host_vars").mkdir(exist_ok=True)
            copy = shutil.copytree if entry.is_dir() else shutil.copyfile
            copy(entry, target / "host_vars" / entry.name)


def _keys(home: Home, made: Home, contractor: Contractor) -> None:
    identity = Identity(home, contractor.name)
    Keyring(home, "report").ensure()
    # The agent's folder is theirs as it is: private key, trust, revocation certificate.
    shutil.copytree(
        identity.keys / "report", made.keys / "report", ignore=shutil.ignore_patterns(".lock", "S.*")
    )
    _copy([identity.keys / "report.gpg", home.keys / "release.gpg"], made.keys)
    _copy([home.keys / "report.gpg"], made.keys, scope.REGION_KEY)
    (made.keys / f"{made.ssh_key.name}.pub").write_text(contractor.ssh_key + "\n")
    private = identity.ssh_key
    ours = private.with_name(f"{private.name}.pub")
    if private.is_file() and ours.read_text().strip() == contractor.ssh_key:
        write(made.ssh_key, private.read_bytes())


def _known_hosts(home: Home, made: Home, sites: list[Site]) -> None:
    lines: list[str] = []
    for host in (host for site in sites for host in site.hosts.values()):
        command = ["ssh-keygen", "-F", str(host.address), "-f", str(home.known_hosts)]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = [line for line in said.splitlines() if line and not line.startswith("#")]
        if not found:
            raise ConfigurationError(
                f"{host.name}: its host key is not in {home.known_hosts}",
                "Only hosts whose keys the region has checked are handed on.",
            )
        lines += found
    write(made.known_hosts, ("\n".join(lines) + "\n").encode(), 0o644)


def _scope(home: Home, made: Home, contractor: Contractor, sites: list[Site]) -> Scope:
    limited = Scope(
        name=contractor.name,
        sites=contractor.sites,
        until=contractor.until,
        issued_at=clock.now(),
        keys={site.name: authorized.keys(home, site.name) for site in sites},
    )
    content = (limited.model_dump_json(indent=1) + "\n").encode()
    write(made.root / f"{scope.FILE}.asc", Keyring(home, "report").sign_detached(content), 0o644)
    write(made.root / scope.FILE, content, 0o644)
    return limited


def _copy(files: Iterable[Path], folder: Path, name: str = "") -> None:
    for file in files:
        if file.is_file():
            shutil.copy2(file, folder / (name or file.name))
