"""A release after the city's own: a newer platform that expands and contracts, another PostgreSQL."""

import shutil
import subprocess
from pathlib import Path

import yaml

from rollout.paths import content
from tests.lab.city import City

NAME = "2026.2"
VERSION = "1.0.1"
EXPAND = (
    "CREATE TABLE jincai.upgraded (id bigint PRIMARY KEY);\nALTER TABLE payment.quota ADD COLUMN note text;\n"
)
CONTRACT = "ALTER TABLE payment.quota DROP COLUMN note;\n"


def write(folder: Path, *, broken: bool = False) -> Path:
    """Its spec below ``folder``; with ``broken``, a platform that does not start."""
    source = folder / ("broken" if broken else "core")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(content() / "platform_app" / "core", source)
    version = "1.0.2" if broken else VERSION
    _replace(source / "jincai" / "__init__.py", '"1.0.0"', f'"{version}"')
    migrations = source / "jincai" / "migrations"
    number = len(list(migrations.glob("*.sql"))) + 1
    (migrations / f"{number:04}_expand_upgrade_drill.sql").write_text(EXPAND)
    (migrations / f"{number + 1:04}_contract_upgrade_drill.sql").write_text(CONTRACT)
    if broken:
        _replace(
            source / "jincai" / "server.py",
            "def run(",
            'raise SystemExit("a drill: does not start")\n\n\ndef run(',
        )
    spec = yaml.safe_load((content() / "releases" / "2026.1.yml").read_text())
    spec["release"] = "2026.3" if broken else NAME
    for system in spec["systems"]:
        system["source"] = str(content() / system["source"])
    spec["systems"][0] |= {"version": version, "source": str(source)}
    file = folder / f"{spec['release']}.yml"
    file.write_text(yaml.safe_dump(spec, allow_unicode=True))
    return file


def older_postgresql() -> list[str]:
    """``--pin`` for PostgreSQL's packages, if an older build of the series is still served."""
    said = subprocess.run(
        ["apt-cache", "madison", "postgresql-15"], capture_output=True, text=True, check=True
    ).stdout
    versions = [line.split("|")[1].strip() for line in said.splitlines() if "|" in line]
    if len(set(versions)) < 2:
        return []
    return [f"--pin={name}={versions[-1]}" for name in ("postgresql-15", "postgresql-client-15")]


def build(city: City, folder: Path, *, broken: bool = False) -> str:
    """Builds it; its name."""
    folder.mkdir(parents=True, exist_ok=True)
    file = write(folder, broken=broken)
    city.rollout("release", "build", str(file), *older_postgresql())
    return file.stem


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new))
