"""The first contact with a delivered host: by password once, known by the sheet's fingerprint, then by key.

Whatever fails, the host stays reachable the way it was: passwords are refused only after the key has worked.
"""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from fabric import Connection
from paramiko import MissingHostKeyPolicy, PKey, SSHClient
from paramiko.ssh_exception import AuthenticationException, BadHostKeyException, NoValidConnectionsError

from rollout import known_hosts
from rollout.acceptance.units import Unit
from rollout.apply.remote import ask
from rollout.errors import ApplyError, UnreachableError, VerificationError
from rollout.glass.fabric_host import FabricHost
from rollout.glass.fan import Work
from rollout.inventory import Host, Site
from rollout.paths import Home

FACTORY_USER = "root"
_PACKAGE = "rollout.acceptance.hostside"
_RELOAD_SECONDS = 5


class FactoryHost(FabricHost):
    """A host as the factory left it: root by password; its key is the one on the delivery sheet."""

    def __init__(self, host: Host, home: Home, unit: Unit, password: str) -> None:
        super().__init__(host, home)
        self._unit = unit
        self._password = password
        self.shown = ""  # its host key, as known_hosts has it

    def user(self) -> str:
        """The factory's."""
        return FACTORY_USER

    def credentials(self) -> dict[str, Any]:
        """The password, and no key."""
        return {"password": self._password}

    def trust(self, connection: Connection) -> None:
        """The key on the sheet, and no other."""
        connection.client.set_missing_host_key_policy(_OnTheSheet(self))

    def check(self, key: PKey) -> None:
        """Before anything is sent. VerificationError if it is not the sheet's."""
        shown = "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        if shown != self._unit.host_key:
            raise VerificationError(
                f"{self.name}: shows the host key {shown}, the delivery sheet says {self._unit.host_key}",
                "The password was not sent. If the sheet is right, this is not the delivered device.",
            )
        self.shown = f"{key.get_name()} {key.get_base64()}"


class _OnTheSheet(MissingHostKeyPolicy):
    def __init__(self, host: FactoryHost) -> None:
        self._host = host

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:  # noqa: ARG002 - paramiko's
        """Called before the log-in."""
        self._host.check(key)


def work(home: Home, units: Mapping[str, Unit], password: str, public_key: str) -> Work:
    """What is done at a site: each of its hosts, one after the other; the first that fails ends it."""

    def at(site: Site) -> tuple[bool, str]:
        said = [_contact(home, host, units[host.name], password, public_key) for host in site.hosts.values()]
        return all(before for before, _ in said), "; ".join(text for _, text in said)

    return at


def looks(home: Home, units: Mapping[str, Unit], password: str) -> Work:
    """The same without changing anything: whether each host is the sheet's, and lets root in by password."""

    def at(site: Site) -> tuple[bool, str]:
        said = []
        for host in site.hosts.values():
            if _by_key(home, host):
                said.append(f"{host.name}: already by key")
            else:
                FactoryHost(host, home, units[host.name], password).run(["true"])
                said.append(f"{host.name}: is the sheet's, and takes the password")
        return False, "; ".join(said)

    return at


def _contact(home: Home, host: Host, unit: Unit, password: str, public_key: str) -> tuple[bool, str]:
    """Whether it was by key only before, and what was done. Raises what says why it is not."""
    before = _by_key(home, host)
    if not before:
        factory = FactoryHost(host, home, unit, password)
        _done(factory, {"do": "open", "user": host.user, "key": public_key})
        known_hosts.remember(home.known_hosts, [host.name, str(host.address)], factory.shown)
    # By key from here on: were it not to work, passwords would still open the host.
    ours = FabricHost(host, home)
    said = _done(ours, {"do": "close"})
    _run(ours, ["sudo", "-n", "true"])
    if takes_password(host, home, unit, password):
        raise ApplyError(f"{host.name}: still takes the password", "Look at its sshd_config.")
    return before and said.startswith("already"), f"{host.name}: {said}"


def _by_key(home: Home, host: Host) -> bool:
    try:
        FabricHost(host, home).run(["true"])
    except (UnreachableError, ApplyError):
        return False
    return True


def takes_password(host: Host, home: Home, unit: Unit, password: str) -> bool:
    """Whether root's password opens it."""
    try:
        _run(FactoryHost(host, home, unit, password), ["true"])
    except UnreachableError as error:
        if isinstance(error.__cause__, AuthenticationException | BadHostKeyException):
            return False
        raise
    return True


def _run(host: FabricHost, argv: list[str]) -> None:
    """Again if nobody listens: an sshd that reads its settings anew does not for a moment."""
    until = time.monotonic() + _RELOAD_SECONDS
    while True:
        try:
            host.run(argv)
        except UnreachableError as error:
            if not isinstance(error.__cause__, NoValidConnectionsError) or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _done(host: FabricHost, question: dict[str, str]) -> str:
    found = ask(host, "contact", question, package=_PACKAGE)
    if found["wrong"]:
        raise ApplyError(f"{host.name}: {found['wrong']}", "Nothing was closed; the password still opens it.")
    return str(found["said"])
