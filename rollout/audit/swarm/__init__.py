"""The process that pyinfra runs in. Importing this package changes the standard library: only run it.

``python -m rollout.audit.swarm`` imports this file before ``__main__``, and so before pyinfra. Half of what
pyinfra and its libraries import is for what a sweep never does; it is left out here, which halves the time
to the first connection. Whatever did need it after all would fail by name, not go on without it.
"""

import gc
import sys
from types import ModuleType

gc.disable()  # it lives for seconds; what it imports is never garbage

from gevent import events, monkey  # noqa: E402

# gevent asks all installed dists for a plug-in, at each of some thirty patches. There is none.
events.notify_and_call_entry_points = events.notify
monkey.patch_all(subprocess=False, signal=False, os=False, ssl=False)


class _LeftOut(ModuleType):
    """Stands in for a module of which only names are imported."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {"__module__": self.__name__})


# For pyinfra's operations and its command line: templates, type checks, what versions a deploy requires.
for left_out in (
    *("jinja2", "typeguard"),
    *("packaging.markers", "packaging.requirements", "packaging.specifiers", "packaging.version"),
):
    sys.modules[left_out] = _LeftOut(left_out)
# paramiko would import it for "Match exec" in an ssh_config, which no host is reached by.
sys.modules["invoke"] = None  # type: ignore[assignment]
