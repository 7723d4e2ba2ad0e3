"""Brings a file of the depot from the site's storage device (Python 3.11, standard library only)."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path

from ansible.module_utils.host_verify import Refused

_MAX_FETCH = 512 * 1024 * 1024


def fetch(url: str, target: Path) -> None:
    """Brings one file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as answer, part.open("wb") as file:
            remaining = _MAX_FETCH
            while remaining > 0 and (chunk := answer.read(1 << 20)):
                remaining -= len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except (urllib.error.URLError, OSError) as error:
        raise Refused(f"{url} cannot be fetched: {error}") from error
    part.rename(target)
