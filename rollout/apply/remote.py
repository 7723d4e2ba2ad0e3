"""Asking a host: a small program goes over SSH with a question, its answer comes back."""

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any, Protocol

from rollout.errors import ApplyError

# The command line stays short: sudo logs it. The programs come over standard input.
_LOADER = """
import json, sys, types
question = json.load(sys.stdin)
def package(name):
    if name not in sys.modules:
        sys.modules[name] = types.ModuleType(name)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(package(parent), last, sys.modules[name])
    return sys.modules[name]
for name, source in question["modules"]:
    exec(compile(source, name, "exec"), package(name).__dict__)
json.dump(sys.modules[question["modules"][-1][0]].answer(question["question"]), sys.stdout)
"""


class Remote(Protocol):
    """What this package needs of a connection to a host (rollout.depot.ssh.SshHost has it)."""

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002 - as subprocess names it
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        """Runs ``argv``; its standard output. Raises UnreachableError or ApplyError."""
        ...


def ask(
    remote: Remote,
    program: str,
    question: object,
    timeout: float = 60,
    *,
    needs: Sequence[str] = (),
    package: str = "rollout.apply.hostside",
) -> Any:
    """The answer of ``<package>/<program>.py`` on that host, as root; ``needs``: modules that it imports."""
    names = [*needs, f"{package}.{program}"]
    message = {"modules": [(name, _source(name)) for name in names], "question": question}
    raw = remote.run(
        ["python3", "-I", "-S", "-B", "-c", _LOADER],
        input=json.dumps(message).encode(),
        timeout=timeout,
        sudo=True,
    )
    try:
        return json.loads(raw)
    except ValueError:
        raise ApplyError(f"{program}: the host's answer is not JSON: {raw[:200]!r}") from None


def _source(module: str) -> str:
    package, _, name = module.rpartition(".")
    return resources.files(package).joinpath(f"{name}.py").read_text(encoding="utf-8")
