"""The playbooks of an apply, in the order in which ``playbooks/site.yml`` imports them."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from rollout.errors import ConfigurationError

_IMPORTS = ("ansible.builtin.import_playbook", "import_playbook")
_NUMBER = re.compile(r"^\d+-")


@dataclass(frozen=True)
class Play:
    """One step: its name in the journal, its file below the content folder, what it says about itself."""

    name: str
    playbook: str
    title: str


def plays(content: Path, playbook: str = "playbooks/site.yml") -> list[Play]:
    """Every imported playbook. ConfigurationError names an entry that is none, or a file that is missing."""
    file = content / playbook
    found = []
    for entry in yaml.safe_load(file.read_text(encoding="utf-8")) or []:
        name = next((entry[key] for key in _IMPORTS if key in entry), None)
        if not name:
            raise ConfigurationError(f"{file}: {entry.get('name', entry)}: not an import of a playbook")
        path = file.parent / name
        if not path.is_file():
            raise ConfigurationError(f"{file}: {name}: no such playbook")
        title = str(entry.get("name", path.stem))
        found.append(Play(_NUMBER.sub("", path.stem), str(path.relative_to(content)), title))
    return found
