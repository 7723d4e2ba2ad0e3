"""From the findings about one host to what apply does there."""

from rollout.audit import actions
from rollout.audit.findings import Finding, HostReport
from rollout.plan.model import HostPlan

_INSTALL = {actions.INSTALL, actions.GO_BACK, actions.HEAL}
_REBUILD = {actions.REBUILD, actions.ROLLBACK}
_BY_HAND = {actions.KEEP, actions.DELETE, actions.REBOOT, actions.RESUME, actions.LOOK, actions.REINSTALL}


def host_plan(report: HostReport, packages: dict[str, str]) -> HostPlan:
    """The plan for a host that answered; ``packages`` are the release's for it, name → version.

    A finding that is waived is not acted upon.
    """
    by_action: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.kind != "waived":
            by_action.setdefault(finding.action, []).append(finding)

    def named(*wanted: str) -> list[str]:
        return sorted({f.component for action in wanted for f in by_action.get(action, [])})

    return HostPlan(
        host=report.host,
        install=[f"{name}={packages[name]}" for name in named(*_INSTALL)],
        remove=named(actions.REMOVE),
        heal=actions.HEAL in by_action,
        rebuild=bool(_REBUILD & set(by_action)),
        rewrite=named(actions.REWRITE),
        start=named(actions.START, actions.ENABLE, actions.REJOIN),
        restart=sorted({name.rpartition(" in ")[2] for name in named(actions.RESTART, actions.RELOAD)}),
        by_hand=[
            f"{finding.component}: {action}"
            for action, findings in by_action.items()
            if action in _BY_HAND
            for finding in findings
        ],
    )
