"""The probes as one text that a host's Python runs: sent at each audit, left nowhere."""

import binascii
import hashlib
import json
import marshal
import zlib
from functools import cache
from importlib import resources
from importlib.util import MAGIC_NUMBER
from typing import Any

from rollout.audit.facts import Wanted
from rollout.audit.probes import MODULES

# What the shell of a host runs; the probes themselves and their parameters come over standard input,
# so that neither the length of a command line nor sudo's log has to bear them. It imports only what is
# built into Python. It succeeds whatever happens: what went wrong is in what it says.
COMMAND = (
    "sudo -n python3 -I -S -B -c 'import sys,marshal,zlib,binascii;"
    "p=marshal.loads(binascii.a2b_base64(sys.stdin.buffer.readline()));"
    "exec(zlib.decompress(p[0]))' 2>&1; true"
)

# ``p``: this loader, the magic number of the code, the code, the sources. A Python whose code has another
# number compiles the sources, which takes it longer than everything else. At the end nothing is taken apart.
_LOADER = """
import os, sys, _frozen_importlib_external
for name in ("rollout", "rollout.audit", "rollout.audit.probes"):
    sys.modules[name] = type(sys)(name)
same = _frozen_importlib_external.MAGIC_NUMBER == p[1]
for name, code in marshal.loads(zlib.decompress(p[2] if same else p[3])):
    module = type(sys)("rollout.audit.probes." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules["rollout.audit.probes"], name, module)
    exec(code if same else compile(code, name + ".py", "exec"), module.__dict__)
module.main()
os._exit(0)
"""


@cache
def program() -> str:
    """The first line of standard input: loader and probes."""
    folder = resources.files("rollout.audit.probes")
    sources = [(name, folder.joinpath(f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
    code = [(name, compile(source, f"{name}.py", "exec", dont_inherit=True)) for name, source in sources]
    packed = [zlib.compress(marshal.dumps(part)) for part in (code, sources)]
    return _line((zlib.compress(_LOADER.encode()), MAGIC_NUMBER, *packed))


@cache
def sources() -> str:
    """The probes as one line of JSON, the same wherever it is made: an auditor's hosts know its digest."""
    folder = resources.files("rollout.audit.probes")
    return json.dumps([(name, folder.joinpath(f"{name}.py").read_text(encoding="utf-8")) for name in MODULES])


def pins(wanted: Wanted) -> dict[str, Any]:
    """What a host holds an auditor to: the probes, and all of the question but what its record decides."""
    return {
        "program_sha256": hashlib.sha256(sources().encode()).hexdigest(),
        "question": wanted.model_dump(mode="json", exclude={"paths", "units", "record"}),
    }


def stdin(wanted: Wanted) -> str:
    """Everything that a host reads: the program, and on the second line what is wanted."""
    return f"{program()}\n{question(wanted)}\n"


def question(wanted: Wanted) -> str:
    """The second line."""
    return _line(wanted.model_dump())


def _line(value: Any) -> str:
    # Version 2 of the format: every Python 3 reads it.
    return binascii.b2a_base64(marshal.dumps(value, 2), newline=False).decode()
