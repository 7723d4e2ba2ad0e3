"""Freezes or thaws payments at sites, through whichever minicomputer answers."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.access import scope
from rollout.apply import processes
from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError, ConfigurationError
from rollout.glass.fan import Work, on_either
from rollout.glass.look import Freeze
from rollout.inventory import Host, Site
from rollout.paths import Home

REASON_LEAST, REASON_MOST = 2, 200
# `jincai freeze` itself waits up to 60 s for what is on its way.
SECONDS = 90
PYTHON = "/opt/jincai/current/venv/bin/python"


class Result(BaseModel):
    """What `jincai freeze --json` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["frozen", "thawed"]
    again: bool
    freeze: Freeze | None


def checked(reason: str) -> str:
    """The reason on one line; ConfigurationError if it says nothing or too much."""
    text = " ".join(reason.split())
    if not REASON_LEAST <= len(text) <= REASON_MOST or not text.isprintable():
        raise ConfigurationError(
            f"--reason has {len(text)} characters", f"Say why in {REASON_LEAST} to {REASON_MOST}."
        )
    return text


def work(verb: Literal["freeze", "thaw"], reason: str, connect: Callable[[Host], Remote]) -> Work:
    """What is done at each site."""
    by = f"{scope.who(Home().root)}@{processes.machine()}"
    # A reason that begins with a dash is still a reason.
    words = [verb, f"--reason={reason}", f"--by={by}", "--json"]

    def at(site: Site) -> tuple[bool, str]:
        host, found = on_either(site, lambda host: _asked(connect(host), host, words))
        since = (
            f", since {found.freeze.since} by {found.freeze.by}: {found.freeze.reason}"
            if found.freeze
            else ""
        )
        return found.again, f"{found.state} through {host.name}{since if found.again else ''}"

    return at


def _asked(remote: Remote, host: Host, words: list[str]) -> Result:
    question = {"words": words, "python": PYTHON, "seconds": SECONDS}
    found = ask(remote, "jincai", question, timeout=SECONDS + 10, package="rollout.glass.hostside")
    if found["code"]:
        raise ApplyError(f"{host.name}: {found['said']}")
    try:
        return Result.model_validate(found["result"])
    except ValidationError as error:
        raise ApplyError(f"{host.name}: not an answer of jincai: {error.errors()[0]['msg']}") from None
