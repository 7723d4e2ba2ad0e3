"""What was discovered, held against the model that was bought and the unit that was delivered."""

from rollout.acceptance.model import Check, Discovered, Line, Verdict
from rollout.acceptance.redfish import Told
from rollout.acceptance.units import Unit
from rollout.hardware import Link, Model, Redfish


def host(name: str, model: Model, unit: Unit, found: Discovered) -> list[Check]:
    """Every check of one host that its model asks for, and its identity."""
    wanted = model.requires
    slowest = min((nic.mbps for nic in found.nics if nic.mbps), default=None)
    checks = [
        _least(name, "cores", wanted.cores, found.cores),
        _least(name, "memory_mib", wanted.memory_mib, found.memory_mib),
        _least(name, "disks", wanted.disks, found.disks.count),
        _least(name, "disk_gib", wanted.disk_gib, found.disks.gib),
        _least(name, "nics", wanted.nics, len(found.nics)),
        _least(name, "nic_mbps", wanted.nic_mbps, slowest),
        _most(name, "fsync_p99_ms", wanted.fsync_p99_ms, found.fsync_p99_ms),
        _most(name, "clock_ms", wanted.clock_ms, found.clock_ms),
        _yes(name, "bonded", found.bonded) if wanted.bonded else None,
        None if wanted.virtual else _yes(name, "physical", found.virtual == "none"),
        # A container or a virtual machine has no plate to read.
        None if wanted.virtual and not found.serial else _same(name, "serial", unit.serial, found.serial),
        *(
            _same(name, f"firmware_{part}", version, found.firmware[part])
            for part, version in wanted.firmware.items()
        ),
    ]
    return [check for check in checks if check]


def link(name: str, wanted: Link, found: Line | str) -> list[Check]:
    """The line between a site's storage device and the region's; ``found`` says why it was not measured."""
    if isinstance(found, str):
        text = f"{wanted.bandwidth_mbps:g} Mbit/s, {wanted.latency_ms:g} ms, {wanted.loss_percent:g} %"
        return [Check(host=name, name="link", wanted=text, found="", verdict="not_checked", why=found)]
    checks = [
        _least(name, "link_mbps", wanted.bandwidth_mbps, found.bandwidth_mbps),
        _most(name, "link_ms", wanted.latency_ms, found.latency_ms),
        _most(name, "link_loss_percent", wanted.loss_percent, found.loss_percent),
    ]
    measured = [check for check in checks if check]
    good = all(check.verdict == "passed" for check in measured)
    verdict: Verdict = "passed" if good else "failed"
    whole = Check(host=name, name="link", wanted="as below", found="as below", verdict=verdict)
    return [whole, *measured]


def controller(name: str, wanted: Redfish, found: Told | str) -> list[Check]:
    """What the management controller told; ``found`` says why it was not asked."""
    if isinstance(found, str):
        return [
            Check(host=name, name="bmc", wanted="answers", found="", verdict="not_checked", why=found),
        ]
    checks = [
        _same(name, "bmc_health", "OK", found.health or ""),
        _same(name, "bmc_ill", "none", ", ".join(found.ill) or "none"),
        _least(name, "power_supplies", wanted.power_supplies, found.power_supplies),
        _least(name, "fans", wanted.fans, found.fans),
        _least(name, "bmc_drives", wanted.drives, found.drives),
        *(
            _same(name, f"firmware_{part}", version, found.firmware.get(part, ""))
            for part, version in wanted.firmware.items()
        ),
    ]
    return [check for check in checks if check]


def host_key(name: str, unit: Unit, found: str) -> Check:
    """The key that the host showed, against the delivery sheet."""
    return _same(name, "host_key", unit.host_key, found)


def _yes(name: str, what: str, found: bool) -> Check:
    verdict: Verdict = "passed" if found else "failed"
    return Check(host=name, name=what, wanted="yes", found="yes" if found else "no", verdict=verdict)


def _least(name: str, what: str, wanted: float | None, found: float | None) -> Check | None:
    return _number(name, what, wanted, found, "at least", good=found is not None and found >= (wanted or 0))


def _most(name: str, what: str, wanted: float | None, found: float | None) -> Check | None:
    return _number(name, what, wanted, found, "at most", good=found is not None and found <= (wanted or 0))


def _number(
    name: str, what: str, wanted: float | None, found: float | None, sign: str, *, good: bool
) -> Check | None:
    if wanted is None:
        return None
    text = f"{sign} {wanted:g}"
    if found is None:
        why = "this machine does not tell"
        return Check(host=name, name=what, wanted=text, found="", verdict="not_checked", why=why)
    verdict: Verdict = "passed" if good else "failed"
    return Check(host=name, name=what, wanted=text, found=f"{found:g}", verdict=verdict)


def _same(name: str, what: str, wanted: str, found: str) -> Check:
    verdict: Verdict = "passed" if found == wanted else "failed" if found else "not_checked"
    why = "" if found else "this machine does not tell"
    return Check(host=name, name=what, wanted=wanted, found=found, verdict=verdict, why=why)
