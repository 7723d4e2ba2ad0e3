"""One playbook at one site, in a process of its own: ``python -m rollout.apply.child WORK``.

It outlives the run that started it, because a half-done play is worse than a finished one; so it reports
into a file, never into a pipe whose reader may be gone. Nothing secret enters its files: the vault is named
by path.
"""

import json
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

EVENTS = "events.jsonl"
LOG = "artifacts/ansible/stdout"
_MESSAGE = 2000
_RESULTS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
    "runner_item_on_failed": "item",
}


class Work(BaseModel):
    """What to run: ``work.json`` in the step's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    project: Path
    playbook: str  # relative to project
    inventory: Path
    limit: str
    arguments: list[str]
    forks: int = 4


def main(file: Path) -> int:
    """Runs the work and returns ansible-playbook's own exit code."""
    work = Work.model_validate_json(file.read_bytes())
    runner = import_module("ansible_runner")
    with (work.folder / EVENTS).open("a", encoding="utf-8", buffering=1) as stream:
        result = runner.run(
            private_data_dir=str(work.folder),
            project_dir=str(work.project),
            playbook=work.playbook,
            inventory=str(work.inventory),
            limit=work.limit,
            forks=work.forks,
            cmdline=shlex.join(work.arguments),
            ident="ansible",
            settings={"fact_cache_type": "memory", "pexpect_timeout": 1},
            fact_cache_type="memory",
            suppress_env_files=True,
            quiet=True,
            event_handler=lambda event: _written(stream, event),
        )
        _write(stream, {"event": "end", "rc": result.rc, "status": result.status})
    return int(result.rc)


def _written(stream: IO[str], event: dict[str, Any]) -> bool:
    line = shortened(event)
    if line:
        _write(stream, line)
    return False  # ansible-runner keeps no event files: they hold whatever modules return


def _write(stream: IO[str], line: dict[str, Any]) -> None:
    stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def shortened(event: dict[str, Any]) -> dict[str, Any] | None:
    """What a person who waits, and a person who looks for the cause, need of an event."""
    kind, data = event.get("event", ""), event.get("event_data", {})
    if kind == "playbook_on_play_start":
        return {"event": "play", "name": data.get("name", "")}
    if kind in {"playbook_on_task_start", "playbook_on_handler_task_start"}:
        return {"event": "task", "name": _task(data)}
    if kind == "playbook_on_stats":
        names = ("ok", "changed", "failures", "dark", "skipped", "rescued", "ignored")
        return {"event": "stats", **{name: data.get(name, {}) for name in names}}
    return _result(_RESULTS[kind], data) if kind in _RESULTS else None


def _result(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    result = data.get("res") or {}
    line = {"event": kind, "host": data.get("host", ""), "task": _task(data)}
    if kind == "ok":
        return {**line, "changed": bool(result.get("changed"))}
    if kind == "skipped":
        return line
    return {**line, "ignored": bool(data.get("ignore_errors")), "message": message(result)}


def message(result: dict[str, Any]) -> str:
    """Why a task failed, in its own words; nothing of a result that must not be logged."""
    if result.get("censored") or result.get("_ansible_no_log"):
        return "hidden, because the task handles secrets"
    parts = [str(result.get(key) or "").strip() for key in ("msg", "stderr", "stdout")]
    if result.get("item") is not None and not isinstance(result["item"], dict | list):
        parts.insert(0, f"({result['item']})")
    text = "\n".join(dict.fromkeys(part for part in parts if part))
    return text[:_MESSAGE] or "no message"


def _task(data: dict[str, Any]) -> str:
    role, name = data.get("role"), data.get("task", "")
    return f"{role} : {name}" if role and not name.startswith(f"{role} : ") else name


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
