"""Our own dists, built from the clone: the same sources give the same bytes."""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.release.store import Store, sha256_file
from rollout.release.wheels import WheelFile, describe

# The time that every file inside our wheels carries (2026-01-01), so that only content makes a difference.
_EPOCH = "1767225600"


def build(source: Path, dist: str, store: Store, cache: Path) -> WheelFile:
    """The wheel of the dist in ``source``, built with hatchling and taken into the store."""
    project = source / "pyproject.toml"
    if not project.is_file():
        raise ConfigurationError(
            f"{project}: no such file, so {dist} cannot be built",
            "A release is built in a clone of the repository; elsewhere use rollout release import.",
        )
    name = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("name")
    if name != dist:
        raise ConfigurationError(f"{project}: project.name is {name}, expected {dist}")
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=source, env=environment, check=False
        )
        files = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or len(files) != 1:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-6:])
            raise ConfigurationError(f"{project}: {dist} does not build:\n{said}")
        wheel = describe(files[0].name, files[0].stat().st_size, sha256_file(files[0]))
        store.add(files[0], wheel.sha256)
        return wheel
