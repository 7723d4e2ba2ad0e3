"""Two releases: one with other editions of three systems and older versions of four, and what shall be."""

import shutil
from pathlib import Path

import yaml

from rollout.paths import content
from tests.lab.city import City
from tests.lab.systems import Small

OLD, NEW = "2025.9", "2026.9"
REPLACED = ("payroll", "nontax", "unit_accounts")
_OURS = ("budget", "payment", "ledger")
_FILL = "INSERT INTO {schema}.record SELECT n::text, 'title', n * 100 FROM generate_series(1, 5000) AS n"


def build(city: City) -> None:
    """Both releases, into the depot."""
    folder = city.home.root / "uniformity"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    older = [_ours(folder, code, "0.9.0") for code in _OURS] + [_small(folder, "treasury_link", "1.0.0")]
    _build(city, folder, OLD, [*older, *(_small(folder, code, "1.0.0", "vendor") for code in REPLACED)])
    newer = [_ours(folder, code, "1.0.0") for code in _OURS] + [_small(folder, "treasury_link", "1.1.0")]
    _build(city, folder, NEW, [*newer, *(_small(folder, code, "1.1.0") for code in REPLACED)])


def fill(city: City) -> None:
    """Five thousand records in each system of another edition."""
    for code in REPLACED:
        city.sql(_FILL.format(schema=f"{code}_vendor"))


def _build(city: City, folder: Path, release: str, systems: list[dict[str, object]]) -> None:
    spec = yaml.safe_load((content() / "releases" / "2026.1.yml").read_text())
    core = spec["systems"][0] | {"source": str(content() / "platform_app" / "core")}
    file = folder / f"{release}.yml"
    file.write_text(yaml.safe_dump(spec | {"release": release, "systems": [core, *systems]}))
    city.rollout("release", "build", str(file))


def _small(folder: Path, code: str, version: str, edition: str = "") -> dict[str, object]:
    one = Small(code, version, edition)
    source = one.write(folder)
    return {"code": code, "dist": one.dist, "version": version, "source": str(source)}


def _ours(folder: Path, code: str, version: str) -> dict[str, object]:
    """One of our own systems, under another version."""
    source = folder / f"{code}-{version}"
    shutil.copytree(content() / "platform_app" / "systems" / code, source)
    (module,) = source.glob("jincai_*/__init__.py")
    text = module.read_text()
    assert '"1.0.0"' in text
    module.write_text(text.replace('"1.0.0"', f'"{version}"'))
    return {"code": code, "dist": f"jincai-{code}", "version": version, "source": str(source)}
