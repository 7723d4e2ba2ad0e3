"""`jincai serve --demo`: rows to look at, marked as examples, for a database that is nobody's books."""

from collections.abc import Sequence

import psycopg

from jincai.auth import sessions
from jincai.system import System


def load(url: str, systems: Sequence[System]) -> None:
    """Run the demonstration file of each system; its rows have fixed keys, so again changes nothing."""
    with psycopg.connect(url) as cx:
        token = sessions.open_for_process(cx, "demonstration", (), seconds=60)
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
        for system in systems:
            if system.demonstration:
                cx.execute(system.demonstration.read_bytes())
