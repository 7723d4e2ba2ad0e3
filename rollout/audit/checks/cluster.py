"""The site's database as Patroni sees it: two members, one leads, the other follows synchronously."""

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.audit import actions
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts
from rollout.audit.findings import Finding

UNIT = "patroni.service"
_RUNNING = {"running", "streaming"}


class Member(BaseModel):
    """One PostgreSQL server."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    role: str
    state: str
    timeline: int | None = None


class Cluster(BaseModel):
    """What ``GET /cluster`` answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    members: list[Member]
    pause: bool = False

    def complaint(self) -> str:
        """What is missing to a protected site; empty when nothing is."""
        roles = [member.role for member in self.members]
        broken = [f"{m.name} is {m.state}" for m in self.members if m.state not in _RUNNING]
        if len(self.members) < 2:
            only = self.members[0].name if self.members else "none"
            return f"only {only} is a member"
        if broken:
            return ", ".join(broken)
        if roles.count("leader") != 1:
            return f"{roles.count('leader')} members lead"
        if "sync_standby" not in roles:
            return "no synchronous standby"
        timelines = {m.name: m.timeline for m in self.members}
        if len(set(timelines.values())) > 1:
            return "different timelines: " + ", ".join(f"{name} {line}" for name, line in timelines.items())
        return ""


def cluster(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """not_running when the site is unprotected or left in maintenance mode, in this member's eyes."""
    if UNIT not in expected.services or UNIT not in facts.active:
        return []
    said = facts.answers.get("cluster")
    if isinstance(said, dict) and set(said) == {"error"}:
        return [_finding(str(said["error"]), actions.REJOIN)]
    try:
        seen = Cluster.model_validate(said)
    except ValidationError:
        return [_finding("an answer that is not Patroni's", actions.LOOK)]
    complaint = seen.complaint()
    findings = [_finding(f"unprotected: {complaint}", actions.REJOIN)] if complaint else []
    if seen.pause:
        findings.append(_finding("in maintenance mode: nobody takes over if a host fails", actions.RESUME))
    return findings


def _finding(found: str, action: str) -> Finding:
    return Finding(
        component="patroni",
        kind="not_running",
        expected="one leader and one synchronous standby, both running",
        found=found,
        action=action,
    )
