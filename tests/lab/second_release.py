"""Releases after the city's own: a newer platform that expands and contracts, another PostgreSQL."""

import shutil
import subprocess
from pathlib import Path

import yaml

from rollout.paths import content
from tests.lab.city import City

EXPAND = (
    "CREATE TABLE jincai.upgraded (id bigint PRIMARY KEY);\nALTER TABLE payment.quota ADD COLUMN note text;\n"
)
BROKEN = 'raise SystemExit("a drill: does not start")'
CONTRACT = "ALTER TABLE payment.quota DROP COLUMN note;\n"


def version(number: int) -> str:
    """The platform's version in release 2026.``number``."""
    return f"1.0.{number - 1}"


def write(folder: Path, number: int, *, broken: bool) -> Path:
    """The spec of release 2026.``number`` below ``folder``; with ``broken``, its platform does not start."""
    source = folder / f"core-{number}"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(content() / "platform_app" / "core", source)
    _replace(source / "jincai" / "__init__.py", '"1.0.0"', f'"{version(number)}"')
    migrations = source / "jincai" / "migrations"
    last = len(list(migrations.glob("*.sql")))
    (migrations / f"{last + 1:04}_expand_upgrade_drill.sql").write_text(EXPAND)
    (migrations / f"{last + 2:04}_contract_upgrade_drill.sql").write_text(CONTRACT)
    if broken:
        _replace(source / "jincai" / "server.py", "def run(", f"{BROKEN}\n\n\ndef run(")
    spec = yaml.safe_load((content() / "releases" / "2026.1.yml").read_text())
    spec["release"] = f"2026.{number}"
    for system in spec["systems"]:
        system["source"] = str(content() / system["source"])
    spec["systems"][0] |= {"version": version(number), "source": str(source)}
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


def build(city: City, number: int = 2, *, broken: bool = False) -> str:
    """Builds release 2026.``number``; its name."""
    folder = city.home.root / "second-release"
    folder.mkdir(parents=True, exist_ok=True)
    file = write(folder, number, broken=broken)
    city.rollout("release", "build", str(file), *older_postgresql())
    return file.stem


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new))
