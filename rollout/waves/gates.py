"""Whether a site is well enough for the next ones to follow: measured on its hosts, judged here."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError, UnreachableError
from rollout.inventory import Site
from rollout.waves.policy import Gates

_PATRONI = 8008
_NEEDS = ["rollout.apply.hostside.alarms"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Instance(_Part):
    """One process of the platform; counters since it started."""

    healthy: bool
    said: str
    requests: int
    errors: int


class Member(_Part):
    """One member of the cluster; ``lag`` in bytes, or ``unknown``."""

    name: str
    role: str
    state: str
    lag: int | str


class Vitals(_Part):
    """One host."""

    failed_units: list[str]
    alarms: list[str]
    free_percent: float
    instances: dict[str, Instance]
    members: list[Member] | None


class Verdict(_Part):
    """One gate at one site: open or shut, and the figure that says so."""

    gate: str
    open: bool
    figure: str


# Host → its vitals, or why there are none.
Seen = Mapping[str, Vitals | str]


def look(site: Site, remotes: Mapping[str, Remote]) -> Seen:
    """Asks every host of a site at the same time."""

    def one(name: str) -> Vitals | str:
        host = next(host for host in site.hosts.values() if host.name == name)
        question = {
            "address": str(host.address),
            "patroni": _PATRONI if host.kind == "minicomputer" else None,
        }
        try:
            return Vitals.model_validate(ask(remotes[name], "vitals", question, timeout=30, needs=_NEEDS))
        except (UnreachableError, ApplyError, ValidationError) as error:
            return str(error).splitlines()[0]

    names = [host.name for host in site.hosts.values()]
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def judge(gates: Gates, first: Seen, now: Seen) -> list[Verdict]:
    """Every gate; ``first`` is what the watch began with, so that only answers since then count."""
    silent = [f"{name}: {said}" for name, said in now.items() if isinstance(said, str)]
    if silent:
        return [Verdict(gate="reachable", open=False, figure="; ".join(silent))]
    known = {name: said for name, said in now.items() if isinstance(said, Vitals)}
    found = [_health(known), _errors(gates, first, known), _replication(gates, known), _disk(gates, known)]
    found += [*_units(gates, known), *_alarms(gates, known)]
    return [Verdict(gate="reachable", open=True, figure=f"{len(known)} hosts"), *found]


def _health(now: Mapping[str, Vitals]) -> Verdict:
    ill = [
        f"{unit} on {host}: {one.said}"
        for host, vitals in now.items()
        for unit, one in vitals.instances.items()
        if not one.healthy
    ]
    count = sum(len(vitals.instances) for vitals in now.values())
    if not count:
        return Verdict(gate="health", open=False, figure="no instance of the platform runs")
    return Verdict(gate="health", open=not ill, figure="; ".join(ill) or f"{count} instances are well")


def _errors(gates: Gates, first: Seen, now: Mapping[str, Vitals]) -> Verdict:
    requests = errors = 0
    for host, vitals in now.items():
        before = first.get(host)
        for unit, one in vitals.instances.items():
            then = before.instances.get(unit) if isinstance(before, Vitals) else None
            # Counters begin at nought when a process starts.
            started_anew = then is None or one.requests < then.requests
            requests += one.requests - (0 if started_anew or then is None else then.requests)
            errors += one.errors - (0 if started_anew or then is None else then.errors)
    percent = 100 * errors / requests if requests else 0.0
    figure = f"{percent:.2f} % of {requests} answers (at most {gates.errors_percent:g} %)"
    return Verdict(gate="errors", open=percent <= gates.errors_percent, figure=figure)


def _replication(gates: Gates, now: Mapping[str, Vitals]) -> Verdict:
    members = next((vitals.members for vitals in now.values() if vitals.members), None)
    if members is None:
        return Verdict(gate="replication", open=False, figure="Patroni does not answer")
    standby = [one for one in members if one.role == "sync_standby" and one.state in {"running", "streaming"}]
    if not standby:
        text = ", ".join(f"{one.name} is {one.role}, {one.state}" for one in members)
        return Verdict(gate="replication", open=False, figure=f"no synchronous standby: {text}")
    lag = standby[0].lag
    return Verdict(
        gate="replication",
        open=isinstance(lag, int) and lag <= gates.lag_bytes,
        figure=f"{standby[0].name} is {lag} bytes behind (at most {gates.lag_bytes})",
    )


def _disk(gates: Gates, now: Mapping[str, Vitals]) -> Verdict:
    host, least = min(((host, vitals.free_percent) for host, vitals in now.items()), key=lambda one: one[1])
    figure = f"{least:g} % free on {host} (at least {gates.free_percent:g} %)"
    return Verdict(gate="disk", open=least >= gates.free_percent, figure=figure)


def _units(gates: Gates, now: Mapping[str, Vitals]) -> list[Verdict]:
    if not gates.units:
        return []
    failed = [f"{unit} on {host}" for host, vitals in now.items() for unit in vitals.failed_units]
    return [Verdict(gate="units", open=not failed, figure=", ".join(failed) or "none has failed")]


def _alarms(gates: Gates, now: Mapping[str, Vitals]) -> list[Verdict]:
    if not gates.alarms:
        return []
    raised = [f"{alarm} on {host}" for host, vitals in now.items() for alarm in vitals.alarms]
    return [Verdict(gate="alarms", open=not raised, figure="; ".join(raised) or "none")]


def shut(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that do not let the next ones pass."""
    return [one for one in verdicts if not one.open]
