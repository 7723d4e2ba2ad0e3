"""The site's own list of runs, on its ``s``: whoever worked there, from whichever control node.

The journal stays where it was written; a contractor's is not the region's. So each run also leaves two lines
at the site, when it begins and when it ends.
"""

import json
from contextlib import suppress
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout import clock
from rollout.apply.journal import Run
from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError, UnreachableError

FOLDER = "/var/lib/rollout"
_ERROR_CHARACTERS = 400


class Entry(BaseModel):
    """One line: a run began at the site, or ended there; ``node`` is the control node's random identity."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    at: datetime
    event: Literal["begin", "end"]
    site: str
    run: str
    verb: str
    who: str
    from_host: str
    node: str
    release: str | None = None
    serial: int | None = None
    outcome: str | None = None
    error: str | None = None


class History:
    """What one run leaves at one site."""

    def __init__(self, storage: Remote, site: str, run: Run, node: str, folder: str = FOLDER) -> None:
        self._storage = storage
        self._folder = folder
        self._entry = Entry(
            at=run.started_at,
            event="begin",
            site=site,
            run=run.id,
            verb=run.verb,
            who=run.who,
            from_host=run.from_host,
            node=node,
            release=run.release,
            serial=run.serial,
        )

    def begin(self) -> None:
        """Before anything is done. UnreachableError or ApplyError: it cannot be written there."""
        self._add(self._entry)

    def end(self, error: BaseException | None = None) -> None:
        """Afterwards, well or not; a site that went away meanwhile has only the beginning."""
        said = (str(error) or type(error).__name__)[:_ERROR_CHARACTERS] if error else None
        outcome = "failed" if error else "done"
        with suppress(UnreachableError, ApplyError):
            self._add(
                self._entry.model_copy(
                    update={"at": clock.now(), "event": "end", "outcome": outcome, "error": said}
                )
            )

    def _add(self, entry: Entry) -> None:
        question = {"folder": self._folder, "add": [entry.model_dump(mode="json")], "newest": 0}
        ask(self._storage, "history", question)


def read(storage: Remote, newest: int = 200, folder: str = FOLDER) -> list[Entry]:
    """The newest lines of the site's ``s``, oldest first; what is not a line is left out."""
    answer = ask(storage, "history", {"folder": folder, "add": [], "newest": newest})
    found: list[Entry] = []
    for line in answer["lines"]:
        with suppress(ValidationError, ValueError):
            found.append(Entry.model_validate(json.loads(line)))
    return found
