"""A watcher's place in the stream: a snapshot of PostgreSQL, as the text that Last-Event-ID brings back."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

# xmin:xmax:those under way between them. Nobody has thousands of transactions under way.
_TEXT = re.compile(r"(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)", re.ASCII)


def _valid(text: str) -> str:
    found = _TEXT.fullmatch(text)
    if not found:
        raise ValueError("not a place in the stream")
    first, end = int(found[1]), int(found[2])
    running = [int(one) for one in found[3].split(",") if one]
    if not 0 < first <= end or running != sorted(set(running)) or any(not first <= x < end for x in running):
        raise ValueError("not a place in the stream")
    return text


Place = Annotated[str, Field(max_length=8000), AfterValidator(_valid)]
