"""What a build takes from the command line instead of the spec: for test depots, upgrades and editions."""

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from rollout.errors import ConfigurationError
from rollout.release.spec import System

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9+.-]+)=(?P<version>[0-9][A-Za-z0-9.+:~-]*)$")
_SYSTEM = re.compile(r"^(?P<code>[a-z_]+)=(?P<dist>[a-z0-9-]+)@(?P<folder>.+)$")


def pins(texts: Iterable[str]) -> dict[str, str]:
    """``postgresql-15=15.18-0+deb12u1``: exactly that version of a Debian package."""
    found = {}
    for text in texts:
        match = _PIN.match(text)
        if match is None:
            raise ConfigurationError(
                f"--pin {text}: not NAME=VERSION", "For example --pin postgresql-15=15.18-0+deb12u1."
            )
        found[match["name"]] = match["version"]
    return found


def systems(texts: Iterable[str]) -> dict[str, System]:
    """``budget=jincai-budget-lite@DIR``: another source or edition; its project says the version."""
    found = {}
    for text in texts:
        match = _SYSTEM.match(text)
        if match is None:
            raise ConfigurationError(
                f"--system {text}: not CODE=DIST@DIR",
                "For example --system budget=jincai-budget@../budget-1.1.",
            )
        source = str(Path(match["folder"]).resolve())
        try:
            system = System(code=match["code"], dist=match["dist"], version=None, source=source)
        except ValidationError as error:
            raise ConfigurationError(f"--system {text}: {error.errors()[0]['msg']}") from error
        found[system.code] = system
    return found
