"""Where things are: the content that ships with the tool, and the one home of its state."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def content() -> Path:
    """The folder that holds playbooks/, roles/, plugins/, templates/, hardware/, inventory/ and releases/.

    In a clone that is the clone; in an installed wheel it is the ``content`` folder inside the package.
    """
    installed = _PACKAGE / "content"
    return installed if installed.is_dir() else _PACKAGE.parent


class Home:
    """``$ROLLOUT_HOME``: the only place where the control node keeps state (DESIGN §4)."""

    def __init__(self, root: Path | None = None) -> None:
        default = "/var/lib/rollout" if os.geteuid() == 0 else "~/.local/share/rollout"
        self.root = (root or Path(os.environ.get("ROLLOUT_HOME", default))).expanduser().resolve()

    def _folder(self, name: str, mode: int = 0o755) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        return path

    @property
    def depot(self) -> Path:
        """One folder per release build: ``<release>-<serial>/``."""
        return self._folder("depot")

    @property
    def cache(self) -> Path:
        """Downloads that a later build may use again; safe to delete."""
        return self._folder("cache")

    @property
    def records(self) -> Path:
        """``<site>.json`` and its signature: what the last apply left on the site."""
        return self._folder("records")

    @property
    def reports(self) -> Path:
        """Audit reports, newest by name."""
        return self._folder("reports")

    @property
    def runs(self) -> Path:
        """Working folders of ansible-runner, one per run and site."""
        return self._folder("runs", 0o700)

    @property
    def keys(self) -> Path:
        """Private keys: the SSH key, the OpenPGP keyrings."""
        return self._folder("keys", 0o700)

    @property
    def journal(self) -> Path:
        """The SQLite database that holds every step of every apply."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / "journal.db"

    @property
    def known_hosts(self) -> Path:
        """SSH host keys that were accepted; host-key checking is always on."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / "known_hosts"

    @property
    def ssh_key(self) -> Path:
        """The control node's private SSH key (ed25519)."""
        return self.keys / "ssh_ed25519"

    def secrets(self, site: str) -> Path:
        """One site's vault, issuing CA and vault password; a contractor can be given just this folder."""
        self._folder("secrets", 0o700)
        return self._folder(f"secrets/{site}", 0o700)
