"""Records what the roles manage: every file a task wrote and every service it started, as JSON lines."""

import json
import os
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: managed
type: aggregate
short_description: Records the files and services that a run manages
description:
  - Appends one JSON line to the file named by the environment variable C(ROLLOUT_MANAGED) for every file that
    a task wrote or checked, every service that it started, and everything that a C(managed) task declares.
  - The site's record is made of these lines, and the audit holds the hosts against that record.
  - Without the variable, and in check mode, it records nothing.
requirements:
  - enabled in configuration (C(callbacks_enabled))
"""

# What a file task may have done to the content: written it (its checksum is in the result), changed it in a
# way whose outcome is not in the result, or left it as it was.
WRITES = {"copy", "template", "assemble", "get_url"}
EDITS = {"lineinfile", "blockinfile", "replace", "ini_file", "htpasswd"}
KEEPS = {"file", "acl"}
SERVICES = {"systemd_service", "systemd", "service"}
UNIT_TYPES = (".service", ".socket", ".timer", ".mount", ".path", ".target", ".slice", ".automount", ".swap")


def entries(action, result, arguments):
    """The lines of one task result (or loop item), without the host.

    Args:
        action: the module's name, fully qualified or not.
        result: what the module returned.
        arguments: what it was called with; some modules do not repeat the path in their result.
    """
    name = action.rsplit(".", 1)[-1]
    if name == "managed":
        return _declared(result)
    if name in SERVICES:
        return _service(result, arguments)
    if name in WRITES | EDITS | KEEPS:
        return _file(name, result, arguments)
    return []


def _file(name, result, arguments):
    path = result.get("dest") or result.get("path")
    path = path or next((arguments[key] for key in ("path", "dest", "name") if arguments.get(key)), None)
    if not isinstance(path, str) or not path.startswith("/"):
        return []
    path = os.path.normpath(path)
    state = result.get("state") or arguments.get("state")
    if state == "absent":
        return [{"path": path, "removed": True}]
    line = {"path": path, "content": "written" if name in WRITES else "edited" if name in EDITS else "kept"}
    checksum = result.get("checksum") or result.get("checksum_dest")
    if name in WRITES and checksum and state not in {"directory", "link"}:
        line["sha1"] = checksum
    return [line]


def _service(result, arguments):
    unit = result.get("name") or arguments.get("name")
    if not isinstance(unit, str):
        return []  # only a daemon-reload
    unit = unit if unit.endswith(UNIT_TYPES) else f"{unit}.service"
    state, enabled = arguments.get("state"), arguments.get("enabled")
    if state == "stopped" or arguments.get("masked") is True:
        return [{"unit": unit, "removed": True}]
    if state is None and enabled is None:
        return []
    if state is None and not enabled:
        return [{"unit": unit, "enabled": False, "only": "enabled"}]
    return [{"unit": unit, "enabled": enabled}]


def _declared(result):
    declared = result.get("managed", {})
    lines = [{"path": path, "content": "declared"} for path in declared.get("paths", [])]
    return lines + [{"unit": unit, "enabled": on} for unit, on in declared.get("services", {}).items()]


class CallbackModule(CallbackBase):
    """Listens to results; items of a loop one by one, so that the summary of the loop counts for nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "managed"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._file = os.environ.get("ROLLOUT_MANAGED")

    def v2_runner_on_ok(self, result):
        """A task that succeeded on a host, handlers included."""
        if result.task.loop is None and not result.task.loop_with:
            self._record(result)

    def v2_runner_item_on_ok(self, result):
        """One item of a loop."""
        self._record(result)

    def _record(self, result):
        if not self._file or result.task.check_mode or result.is_skipped():
            return
        # A task that must not be logged arrives censored, arguments and all; its role declares what it wrote.
        if result.result.get("censored"):
            return
        arguments = result.task_fields.get("args") or {}
        host = result.task_fields.get("delegate_to") or result.host.get_name()
        lines = entries(result.task.action, result.result, arguments)
        if not lines:
            return
        text = "".join(json.dumps({"host": host, **line}) + "\n" for line in lines)
        # One write of whole lines, so that a killed run leaves no half line before the next one's.
        with Path(self._file).open("a", encoding="utf-8") as stream:
            stream.write(text)
