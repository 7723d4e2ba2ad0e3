"""The scope of this control node: none on the region's own, some cities on a contractor's.

It is a courtesy, which says early and clearly what would fail anyway: of other sites a contractor has neither
a key that their hosts let in, nor a vault.
"""

from pathlib import Path

from pydantic import ValidationError

from rollout import clock
from rollout.access.model import Scope, end_of
from rollout.apply import processes
from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release.sign import verify

FILE = "scope.json"
REGION_KEY = "region-report.gpg"


def of(root: Path) -> Scope | None:
    """The scope of the home at ``root``; None on the region's control node.

    Raises:
        VerificationError: it is not as the region signed it.
    """
    file = root / FILE
    if not file.is_file():
        return None
    content = file.read_bytes()
    signature = file.with_name(f"{FILE}.asc")
    if not signature.is_file():
        raise VerificationError(f"{signature}: it is missing", "Import the region's file again.")
    verify(content, signature.read_bytes(), root / "keys" / REGION_KEY, str(file))
    try:
        return Scope.model_validate_json(content)
    except ValidationError as error:
        raise VerificationError(f"{file}: not a scope: {error.errors()[0]['msg']}") from error


def of_home(home: Home | None = None) -> Scope | None:
    """The scope of ``$ROLLOUT_HOME``, which must not have ended.

    Raises:
        ConfigurationError: it ended.
    """
    found = of((home or Home()).root)
    if found and clock.now() >= end_of(found.until):
        raise ConfigurationError(
            f"the scope of {found.name} ended with {found.until}",
            "Ask the region for a new one: rollout contractor add, then rollout contractor export.",
        )
    return found


def within(names: list[str], home: Home | None = None) -> list[str] | None:
    """The sites to work at of those ``names``; without any, those of the scope, or None: all.

    Raises:
        ConfigurationError: one is outside the scope.
    """
    found = of_home(home)
    if found is None:
        return names or None
    beyond = [name for name in names if name not in found.sites]
    if beyond:
        raise ConfigurationError(
            f"{', '.join(beyond)}: outside the scope of {found.name}, which is {', '.join(found.sites)}",
            "Only the region's control node, or another contractor's, opens it.",
        )
    return names or found.sites


def refuse(what: str, home: Home | None = None) -> None:
    """Refuses what only the region does.

    Raises:
        ConfigurationError: this is a contractor's control node.
    """
    found = of_home(home)
    if found:
        raise ConfigurationError(
            f"{what}: for the region's control node only; this is that of {found.name} "
            f"({', '.join(found.sites)}, until {found.until})",
            "Ask the region.",
        )


def who(root: Path) -> str:
    """Who acts, for records: the person, and before it the contractor whose control node this is."""
    try:
        found = of(root)
    except VerificationError:
        return f"?/{processes.person()}"
    return f"{found.name}/{processes.person()}" if found else processes.person()
