"""Declares files and services that a role manages and that no module reports; touches no host."""

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Returns what it was given, for the ``managed`` callback to record."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("paths", "services"))

    def run(self, tmp=None, task_vars=None):
        """Checks the arguments and hands them on; never changed."""
        result = super().run(tmp, task_vars)
        paths = self._task.args.get("paths") or []
        services = self._task.args.get("services") or {}
        if not isinstance(paths, list) or not all(isinstance(p, str) and p.startswith("/") for p in paths):
            raise AnsibleActionFail("paths: expected a list of absolute paths or patterns")
        if not isinstance(services, dict) or not all(isinstance(on, bool) for on in services.values()):
            raise AnsibleActionFail("services: expected unit names with true (enabled) or false")
        result["changed"] = False
        result["managed"] = {"paths": list(paths), "services": dict(services)}
        return result
