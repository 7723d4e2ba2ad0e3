"""A plan in a file: what was approved is what runs, or nothing does."""

from pathlib import Path

from pydantic import ValidationError

from rollout.audit import reports
from rollout.errors import ConfigurationError
from rollout.plan.model import Plan, SitePlan

_MAX_BYTES = 64 * 1024 * 1024


def write(plan: Plan, file: Path) -> None:
    """Writes a plan whole or not at all."""
    reports.write(file, plan.model_dump_json(indent=1).encode() + b"\n")


def read(file: Path) -> Plan:
    """A plan from its file; ConfigurationError names what is wrong with it."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigurationError(f"{file}: larger than {_MAX_BYTES} bytes")
        return Plan.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigurationError(
            f"{file}: not a plan: {where + ': ' if where else ''}{first['msg']}",
            "Write one with: rollout plan RELEASE --out FILE",
        ) from error


def moved(approved: Plan, now: Plan) -> list[str]:
    """Why the approved plan must not run any more; empty when reality is what it was."""
    if approved.digest == now.digest:
        return []
    pairs = {
        "the release": (approved.manifest_sha256, now.manifest_sha256),
        "the inventory": (approved.inventory_sha256, now.inventory_sha256),
        "rollout itself": (approved.rollout_version, now.rollout_version),
        "the intent to roll back": (approved.rollback, now.rollback),
    }
    changes = [
        f"{what} is not the one that was approved" for what, (one, other) in pairs.items() if one != other
    ]
    before = {site.site: site for site in approved.sites}
    after = {site.site: site for site in now.sites}
    changes += [f"{name}: only in one of the two" for name in sorted(set(before) ^ set(after))]
    for name in sorted(set(before) & set(after)):
        changes += _site(before[name], after[name])
    return changes or ["the plan for what was found is another one now"]


def _site(approved: SitePlan, now: SitePlan) -> list[str]:
    changes = []
    if approved.input_sha256 != now.input_sha256:
        changes.append(f"{now.site}: roles, inventory entry or secrets changed after the approval")
    if approved.findings_sha256 != now.findings_sha256:
        changes.append(f"{now.site}: its hosts are not as they were when the plan was approved")
    return changes
