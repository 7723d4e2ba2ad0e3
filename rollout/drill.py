"""Drills that prove what is otherwise only believed: that the backups restore, to the second."""

import json
import re
import threading
from pathlib import Path

from rollout import secrets
from rollout.apply.child import Work
from rollout.apply.journal import Journal
from rollout.apply.play import Player
from rollout.errors import ApplyError, ConfigurationError, RolloutError
from rollout.inventory import Inventory, select
from rollout.paths import Home, content

_SECOND = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d(:?\d\d)?)$")
_RESTORE = "playbooks/drill-restore.yml"


def restore(home: Home, inventory: Inventory, site_name: str, to: str = "", query: str = "") -> str:
    """Restores the newest backup that fits, beside everything that runs, and asks it.

    Args:
        home: the control node's state.
        inventory: that the site is in.
        site_name: the site; the restore happens on its storage device.
        to: the second to restore to, with its offset from UTC; empty for the newest WAL that was archived.
        query: SQL for the restored database ``jincai``; empty for the number of its tables.

    Returns:
        What psql answered. Raises ApplyError naming the task that failed; nothing is left behind either way.
    """
    if to and not _SECOND.match(to):
        raise ConfigurationError(
            f"--to {to}: not a second with its offset",
            "Write it as 2026-11-24T05:40:20+08 (or ...Z for UTC).",
        )
    site = select(inventory, [site_name])[0]
    with Journal(home.journal) as journal:
        run = journal.begin("drill restore", [site.name])
        folder = home.runs / run / site.name
        folder.mkdir(parents=True, mode=0o700)
        answer, variables = folder / "answer", folder / "drill.json"
        wanted = {"backup__drill_target": to.replace("Z", "+00"), "backup__drill_query": query}
        chosen = {name: value for name, value in wanted.items() if value}
        variables.write_text(json.dumps({**chosen, "backup__drill_answer": str(answer)}))
        work = Work(
            folder=folder / "drill-restore",
            project=content(),
            playbook=_RESTORE,
            inventory=Path(inventory.path).resolve(),
            limit=site.name,
            arguments=[*secrets.ensure(home, site).arguments(), "-e", f"@{variables}"],
        )
        outcome = Player(home, journal, run, site.name, threading.Event()).play(work, None, lambda _: None)
        failure = next(iter(outcome.failures.values()), None)
        said = f"{failure.task}: {failure.message}" if failure else f"see {outcome.log}"
        journal.end(run, "failed" if outcome.rc else "done", said if outcome.rc else None)
        if outcome.rc:
            raise _failed(site.name, said)
    return answer.read_text(encoding="utf-8").rstrip("\n")


def _failed(site: str, said: str) -> RolloutError:
    return ApplyError(f"{site}: the restore drill failed\n  {said}", "The site itself was not touched.")
