"""The platform's processes: what each has loaded, by what it says itself, against the release."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollout.audit import actions
from rollout.audit.checks import order_kind
from rollout.audit.expect import Environment, HostExpectation
from rollout.audit.facts import HostFacts
from rollout.audit.findings import Finding
from rollout.audit.versions import compare_python
from rollout.release.manifest import Wheel


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Component(_Answer):
    """The platform or one access system, as loaded."""

    code: str
    dist: str
    version: str
    code_sha256: str


class Release(_Answer):
    """What the process was started as."""

    name: str | None
    serial: int | None
    manifest_sha256: str | None


class Process(_Answer):
    """Who answered."""

    pid: int


class Version(_Answer):
    """The part of ``/version`` that the audit reads."""

    platform: Component
    systems: list[Component]
    environment_sha256: str | None
    release: Release
    process: Process
    # Code → the newest migration in the schema, None where the process cannot tell.
    migrations: dict[str, str | None] = Field(alias="schema", default={})
    # Code → the newest migration that took something away, None where there is none.
    contracted: dict[str, str | None] = {}
    # Code → the edition that was replaced and may come back; and editions whose tables are gone.
    replaced: dict[str, str] = {}
    retired: list[str] = []

    @property
    def components(self) -> dict[str, Component]:
        """By code, the platform among them."""
        return {one.code: one for one in [self.platform, *self.systems]}


def answer(facts: HostFacts, unit: str) -> Version | str:
    """What the unit's process said, or why that is no answer."""
    found = facts.answers.get(unit)
    if not isinstance(found, dict):
        return "no answer"
    if set(found) == {"error"}:
        return str(found["error"])
    try:
        return Version.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        return f"an answer that is not ours: {'.'.join(map(str, first['loc']))}: {first['msg']}"


def platform(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """For every running instance: other versions, editions or code than the release's, or no answer."""
    active = facts.active
    findings: list[Finding] = []
    for unit in expected.instances(active):
        if unit not in active:
            continue  # the check of the services reports it
        said = answer(facts, unit)
        if isinstance(said, str):
            findings.append(
                Finding(
                    component=unit,
                    kind="not_running",
                    expected="answers at /version",
                    found=said,
                    action=actions.RESTART,
                )
            )
        else:
            findings += _loaded(expected, expected.environment, facts, unit, said)
    return findings


def _loaded(
    expected: HostExpectation, environment: Environment, facts: HostFacts, unit: str, said: Version
) -> Iterator[Finding]:
    processes = facts.processes if isinstance(facts.processes, dict) else {}
    if unit in processes and said.process.pid not in processes[unit].pids:
        yield _modified(unit, "answered by its own process", f"process {said.process.pid} answers instead")
    wheels = {wheel.system: wheel for wheel in environment.wheels.values() if wheel.system}
    for code, wheel in sorted(wheels.items()):
        yield from _component(environment, unit, wheel, said.components.get(code))
    for code, extra in sorted(said.components.items()):
        if code not in wheels:
            yield Finding(
                component=f"{extra.dist} in {unit}",
                kind="extra",
                expected="not loaded",
                found=extra.version,
                action=actions.RESTART,
            )
    if said.environment_sha256 != environment.sha256:
        yield _modified(
            f"environment in {unit}", environment.sha256[:12], (said.environment_sha256 or "unknown")[:12]
        )
    yield from _release(expected, unit, said.release)


def _component(
    environment: Environment, unit: str, wheel: Wheel, loaded: Component | None
) -> Iterator[Finding]:
    name = f"{wheel.name} in {unit}"
    if loaded is None:
        yield Finding(
            component=name,
            kind="missing",
            expected=wheel.version,
            found="not loaded",
            action=actions.RESTART,
        )
    elif loaded.dist != wheel.name:
        yield Finding(
            component=name,
            kind="other_edition",
            expected=f"{wheel.name} {wheel.version}",
            found=f"{loaded.dist} {loaded.version}",
            action=actions.RESTART,
        )
    elif order := compare_python(loaded.version, wheel.version):
        yield Finding(
            component=name,
            kind=order_kind(order),
            expected=wheel.version,
            found=loaded.version,
            action=actions.RESTART,
        )
    elif loaded.code_sha256 != environment.code[wheel.name]:
        yield _modified(name, f"code {environment.code[wheel.name][:12]}", f"code {loaded.code_sha256[:12]}")


def _release(expected: HostExpectation, unit: str, said: Release) -> Iterator[Finding]:
    manifest = expected.build.manifest
    if said.manifest_sha256 == expected.build.sha256:
        return
    serial = said.serial or 0
    order = (serial > manifest.serial) - (serial < manifest.serial)
    yield Finding(
        component=f"release in {unit}",
        kind=order_kind(order) if order else "modified",
        expected=f"{manifest.release} serial {manifest.serial} {expected.build.sha256[:12]}",
        found=f"{said.name} serial {said.serial} {(said.manifest_sha256 or 'unknown')[:12]}",
        action=actions.RESTART,
    )


def _modified(component: str, expected: str, found: str) -> Finding:
    return Finding(
        component=component, kind="modified", expected=expected, found=found, action=actions.RESTART
    )
