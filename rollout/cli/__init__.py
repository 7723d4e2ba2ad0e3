"""The command line: one module per verb; this one only assembles them and shows their errors."""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from rollout.audit import swarm_process

if TYPE_CHECKING:
    import typer

# Module → its verbs, in the order of the help.
VERBS = {
    "lab": ("lab",),
    "release": ("release",),
    "drill": ("drill",),
    "plan": ("plan",),
    "apply": ("apply", "rollback", "unlock"),
    "confirm": ("confirm",),
    "waves": ("waves", "board", "replay"),
    "glass": ("glass",),
    "audit": ("audit", "verify-report"),
    "audits": ("audits",),
    "status": ("status",),
    "health": ("health",),
    "progress": ("progress",),
    "accept": ("contact", "accept"),
    "contractor": ("contractor",),
    "journal": ("journal",),
    "state": ("state",),
}
SWEEPING = ("audit", "plan")


def assembled(words: Sequence[str]) -> "typer.Typer":
    """The command line for ``words``: with the verb that they begin with, or else with all of them.

    All of them together import ansible-runner, cryptography and more: most of a second.
    """
    from rollout.cli.root import app  # noqa: PLC0415 - once the swarm is on its way

    for module in [name for name, verbs in VERBS.items() if words and words[0] in verbs] or VERBS:
        import_module(f"rollout.cli.{module}").register(app)
    return app


def main() -> None:
    """Entry point."""
    words = sys.argv[1:]
    if words and words[0] in SWEEPING:
        swarm_process.spawn_ahead()  # before anything else is imported
        gc.disable()  # in the seconds of a sweep there is no garbage, and looking for it takes a tenth of one
    try:
        from rollout.cli.root import run  # noqa: PLC0415 - as above

        run(assembled(words))
    finally:
        swarm_process.dismiss_ahead()
        gc.freeze()  # nor is it looked for at the end
