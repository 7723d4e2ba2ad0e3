"""How pages show what is not text."""

import datetime as dt

from jincai.identity import SHANGHAI


def moment(at: dt.datetime) -> str:
    """A moment as people in China read it: 2027-01-05 09:30."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
