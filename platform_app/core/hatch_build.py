"""A wheel of the platform without its browser libraries would show blank charts: it is not built."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Vendored(BuildHookInterface):  # type: ignore[type-arg]
    """Compares the vendored files with vendor.json before anything is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's interface
        """Refuse a wheel that would lack a file, or carry another."""
        if version == "editable":  # .venv is made before make fetches them
            return
        root = Path(self.root)
        for library in json.loads((root / "vendor.json").read_text(encoding="utf-8")):
            for path, integrity in library["files"].items():
                name = f"{library['name']}/{Path(path).name}"
                file = root / "jincai" / "pages" / "static" / "vendor" / name
                if not file.is_file() or _integrity(file) != integrity:
                    raise RuntimeError(
                        f"static/vendor/{name} is not what vendor.json says: call make, or tools/vendor.py"
                    )


def _integrity(file: Path) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
