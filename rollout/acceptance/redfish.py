"""What only a device's management controller (BMC) can tell: power supplies, fans, drives, memory, firmware.

Redfish, over HTTPS, read only. The controller is known by its certificate, whose fingerprint stands on the
delivery sheet: the password is sent to nobody else.
"""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict

from rollout.acceptance.units import Bmc
from rollout.errors import ConfigurationError, UnreachableError, VerificationError

SECONDS = 10
ANSWER_BYTES = 1 << 20
REQUESTS_MOST = 200
_ROOT = "/redfish/v1/"


class Login(BaseModel):
    """User and password of the controllers of a site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    password: str

    @classmethod
    def parse(cls, text: str) -> "Login":
        """From ``user:password`` on one line."""
        user, colon, password = text.strip().partition(":")
        if not colon or not user or not password or "\n" in password:
            raise ConfigurationError("the BMC's log-in is not one line of the form user:password")
        return cls(user=user, password=password)

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


class Told(BaseModel):
    """What a controller tells; None: it does not.

    Attributes:
        health: of the whole, as Redfish sums it up: OK, Warning or Critical.
        power_supplies, fans: those that are there and well.
        ill: what is there and is not well, by name.
        firmware: of the controller itself (``bmc``) and of the BIOS.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    health: str | None
    power_supplies: int | None
    fans: int | None
    drives: int | None
    ill: list[str]
    firmware: dict[str, str]


def ask(bmc: Bmc, login: Login) -> Told:
    """Asks one controller.

    Raises:
        UnreachableError: it does not answer within ten seconds.
        VerificationError: its certificate is not that of the sheet, or it refuses the log-in.
    """
    address = urlsplit(bmc.address)
    port = address.port or 443
    if not address.hostname:
        raise ConfigurationError(f"{bmc.address}: no host in it")
    context = _context(bmc, address.hostname, port)
    # It is the pinned certificate that says who this is; the name in it is the factory's.
    with httpx.Client(
        base_url=f"https://{address.hostname}:{port}",
        verify=context,
        auth=(login.user, login.password),
        timeout=SECONDS,
        trust_env=False,
        headers={"Accept": "application/json", "OData-Version": "4.0"},
    ) as client:
        return _Tree(client, bmc.address).told()


class _Tree:
    """The resources of one controller, each asked for once."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self._client = client
        self._name = name
        self._asked = 0

    def told(self) -> Told:
        root = self._get(_ROOT) or {}
        system = next(self._members(root.get("Systems")), {})
        manager = next(self._members(root.get("Managers")), {})
        chassis = list(self._members(root.get("Chassis")))
        power = [
            one for each in chassis for one in self._parts(each, "Power", "PowerSupplies", "PowerSubsystem")
        ]
        fans = [one for each in chassis for one in self._parts(each, "Thermal", "Fans", "ThermalSubsystem")]
        drives = [
            drive
            for storage in self._members(system.get("Storage"))
            for drive in self._linked(storage.get("Drives"))
        ]
        whole = _status(system)
        return Told(
            health=whole.get("HealthRollup") or whole.get("HealthRollUp") or whole.get("Health"),
            power_supplies=_well(power),
            fans=_well(fans),
            drives=_well(drives),
            ill=sorted(
                {
                    str(one.get("Name") or one.get("@odata.id") or "?")[:60]
                    for one in [*power, *fans, *drives, *chassis, manager]
                    if _is_there(one) and not _is_well(one)
                }
                | (
                    {"memory"}
                    if _status(system.get("MemorySummary") or {}).get("Health", "OK") != "OK"
                    else set()
                )
            ),
            firmware={
                name: str(value)
                for name, value in (
                    ("bmc", manager.get("FirmwareVersion")),
                    ("bios", system.get("BiosVersion")),
                )
                if value
            },
        )

    def _parts(self, chassis: dict[str, Any], old: str, list_: str, new: str) -> Iterator[dict[str, Any]]:
        """Power supplies or fans: as collections since Redfish 2020.4, before that inside one resource."""
        subsystem = self._follow(chassis.get(new))
        if subsystem:
            yield from self._members(subsystem.get(list_))
            return
        yield from (self._follow(chassis.get(old)) or {}).get(list_) or []

    def _members(self, link: object) -> Iterator[dict[str, Any]]:
        yield from self._linked((self._follow(link) or {}).get("Members"))

    def _linked(self, links: object) -> Iterator[dict[str, Any]]:
        for link in links if isinstance(links, list) else []:
            found = self._follow(link)
            if found:
                yield found

    def _follow(self, link: object) -> dict[str, Any] | None:
        path = link.get("@odata.id") if isinstance(link, dict) else None
        return self._get(path) if isinstance(path, str) and path.startswith(_ROOT) else None

    def _get(self, path: str) -> dict[str, Any] | None:
        """A resource; None if the controller does not have it."""
        self._asked += 1
        if self._asked > REQUESTS_MOST:
            raise VerificationError(f"{self._name}: more than {REQUESTS_MOST} resources; this is no device")
        try:
            with self._client.stream("GET", path) as answer:
                if answer.status_code in {401, 403}:
                    raise VerificationError(f"{self._name}: refuses the log-in", "Read the sheet again.")
                if answer.status_code != httpx.codes.OK:
                    return None
                text = bytearray()
                for piece in answer.iter_bytes():
                    text += piece
                    if len(text) > ANSWER_BYTES:
                        raise VerificationError(f"{self._name}{path}: more than {ANSWER_BYTES} bytes")
            found = httpx.Response(200, content=bytes(text)).json()
        except httpx.HTTPError as error:
            raise UnreachableError(f"{self._name}: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise VerificationError(f"{self._name}{path}: not JSON") from error
        return found if isinstance(found, dict) else None


def _context(bmc: Bmc, host: str, port: int) -> ssl.SSLContext:
    """Trusts the certificate that the sheet names, and no other."""
    try:
        pem = ssl.get_server_certificate((host, port), timeout=SECONDS)
    except OSError as error:
        raise UnreachableError(f"{bmc.address}: {error}", "Is the controller connected?") from error
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
    shown = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    if shown != bmc.certificate:
        raise VerificationError(
            f"{bmc.address}: shows the certificate {shown}, the delivery sheet says {bmc.certificate}",
            "Nothing was sent to it. If the sheet is right, this is not the controller that was delivered.",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    return context


def _status(one: dict[str, Any]) -> dict[str, Any]:
    found = one.get("Status")
    return found if isinstance(found, dict) else {}


def _is_there(one: dict[str, Any]) -> bool:
    return bool(one) and _status(one).get("State", "Enabled") != "Absent"


def _is_well(one: dict[str, Any]) -> bool:
    status = _status(one)
    enabled = status.get("State", "Enabled") in {"Enabled", "StandbySpare", "StandbyOffline"}
    return enabled and status.get("Health", "OK") == "OK" and not one.get("FailurePredicted")


def _well(found: list[dict[str, Any]]) -> int | None:
    return sum(_is_there(one) and _is_well(one) for one in found) if found else None
