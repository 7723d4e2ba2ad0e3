"""`rollout accept`: measures, judges, signs."""

from rollout import __version__, clock
from rollout.acceptance import judge, measure, redfish, units
from rollout.acceptance.model import Acceptance, Check, Device
from rollout.acceptance.units import Bmc
from rollout.apply import processes
from rollout.audit import reports
from rollout.errors import UnreachableError, VerificationError
from rollout.hardware import load_models
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.release.sign import Keyring, verify


def accept(home: Home, inventory: Inventory, site: Site, login: redfish.Login | None = None) -> Acceptance:
    """Everything about one site, judged. UnreachableError when a host does not answer.

    ``login``: to the management controllers; without it they are not asked.
    """
    delivered, models = units.load(inventory, site), load_models()
    found = measure.hosts(home, site)
    checks: list[Check] = []
    for host in site.hosts.values():
        checks.append(judge.host_key(host.name, delivered[host.name], measure.fingerprint(host)))
        checks += judge.host(host.name, models[host.model], delivered[host.name], found[host.name])
        asked = models[host.model].requires.redfish
        if asked:
            checks += judge.controller(host.name, asked, _controller(delivered[host.name].bmc, login))
    region = next((one for one in inventory.sites.values() if one.kind == "region"), None)
    wanted = models[site.storage.model].requires.link
    if wanted and region and region.name != site.name:
        checks += judge.link(site.storage.name, wanted, measure.line(home, site, region))
    return Acceptance(
        site=site.name,
        title=site.title,
        taken_at=clock.now(),
        taken_by=processes.person(),
        rollout_version=__version__,
        accepted=all(check.verdict == "passed" for check in checks),
        devices=[
            Device(
                host=host.name,
                model=host.model,
                title=models[host.model].title,
                serial=delivered[host.name].serial,
                asset=delivered[host.name].asset,
            )
            for host in site.hosts.values()
        ],
        checks=checks,
    )


def _controller(bmc: Bmc | None, login: redfish.Login | None) -> redfish.Told | str:
    """What it tells, or why it was not asked: that is no pass either."""
    if bmc is None:
        return "no management controller on the delivery sheet"
    if login is None:
        return "no log-in to the management controllers: --bmc-login"
    try:
        return redfish.ask(bmc, login)
    except (UnreachableError, VerificationError) as error:
        return error.message


def keep(home: Home, acceptance: Acceptance) -> None:
    """Signs it and keeps it: the newest under the site's name, each under its time as well."""
    folder = home.root / "acceptance"
    folder.mkdir(parents=True, exist_ok=True)
    keyring = Keyring(home, "report")
    keyring.ensure()
    content = (acceptance.model_dump_json(indent=1) + "\n").encode()
    signature = keyring.sign_detached(content)
    for name in (f"{acceptance.taken_at:%Y%m%dT%H%M%S}-{acceptance.site}", acceptance.site):
        file = folder / f"{name}.json"
        reports.write(reports.signature_file(file), signature)
        reports.write(file, content)


def kept(home: Home, site: str) -> Acceptance:
    """The newest of a site, its signature verified; VerificationError when there is none, or it fails."""
    file = home.root / "acceptance" / f"{site}.json"
    try:
        content, signature = file.read_bytes(), reports.signature_file(file).read_bytes()
    except OSError as error:
        raise VerificationError(f"{site}: not accepted yet", f"rollout accept --site {site}") from error
    verify(content, signature, Keyring(home, "report").public_path, str(file))
    return Acceptance.model_validate_json(content)
