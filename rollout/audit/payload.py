"""The probes as one text that a host's Python runs: sent at each audit, left nowhere."""

import base64
import json
import zlib
from functools import cache
from importlib import resources

from rollout.audit.facts import Wanted
from rollout.audit.probes import MODULES

# What the shell of a host runs; the probes themselves and their parameters come over standard input,
# so that neither the length of a command line nor sudo's log has to bear them.
COMMAND = (
    "sudo -n python3 -I -S -B -c "
    "'import sys,zlib,base64;exec(zlib.decompress(base64.b64decode(sys.stdin.buffer.readline())))' 2>&1; true"
)

_LOADER = """
import sys, types
for name in ("rollout", "rollout.audit", "rollout.audit.probes"):
    sys.modules[name] = types.ModuleType(name)
for name, source in SOURCES:
    module = types.ModuleType("rollout.audit.probes." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules["rollout.audit.probes"], name, module)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
sys.modules["rollout.audit.probes.collect"].main()
"""


@cache
def program() -> str:
    """The first line of standard input: loader and probes."""
    folder = resources.files("rollout.audit.probes")
    sources = [(name, folder.joinpath(f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
    text = f"SOURCES = {sources!r}\n{_LOADER}"
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def stdin(wanted: Wanted) -> str:
    """Everything that a host reads: the program, and on the second line what is wanted."""
    return f"{program()}\n{json.dumps(wanted.model_dump(), separators=(',', ':'))}\n"
