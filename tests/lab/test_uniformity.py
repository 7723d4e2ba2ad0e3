"""What the real project met: a site with another edition of three systems and older versions of four."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from rollout.paths import content
from tests.lab.city import HOME, City
from tests.lab.systems import Small

pytestmark = pytest.mark.long

OLD, NEW = "2025.9", "2026.9"
REPLACED = ("payroll", "nontax", "unit_accounts")
OURS = ("budget", "payment", "ledger")
FILL = "INSERT INTO {schema}.record SELECT n::text, 'title', n * 100 FROM generate_series(1, 5000) AS n"
SEEN = "SELECT count(*), coalesce(sum(amount), 0) FROM {schema}.record"


def build(city: City, release: str, systems: list[dict[str, object]]) -> str:
    """A release of the platform and just these systems."""
    spec = yaml.safe_load((content() / "releases" / "2026.1.yml").read_text())
    core = spec["systems"][0] | {"source": str(content() / "platform_app" / "core")}
    folder = HOME / "uniformity"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{release}.yml"
    file.write_text(yaml.safe_dump(spec | {"release": release, "systems": [core, *systems]}))
    city.rollout("release", "build", str(file))
    return release


def small(code: str, version: str, edition: str = "") -> dict[str, object]:
    one = Small(code, version, edition)
    source = one.write(HOME / "uniformity")
    return {"code": code, "dist": one.dist, "version": version, "source": str(source)}


def ours(code: str, version: str) -> dict[str, object]:
    """One of our own systems, under another version."""
    source = HOME / "uniformity" / f"{code}-{version}"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(content() / "platform_app" / "systems" / code, source)
    (module,) = source.glob("jincai_*/__init__.py")
    text = Path(module).read_text()
    assert '"1.0.0"' in text
    Path(module).write_text(text.replace('"1.0.0"', f'"{version}"'))
    return {"code": code, "dist": f"jincai-{code}", "version": version, "source": str(source)}


def seen(city: City, schema: str) -> str:
    return city.sql(SEEN.format(schema=schema))


def test_three_replaced_four_upgraded_and_back(bare_city: City) -> None:
    city = bare_city
    older = [ours(code, "0.9.0") for code in OURS] + [small("treasury_link", "1.0.0")]
    old = build(city, OLD, [*older, *(small(code, "1.0.0", "vendor") for code in REPLACED)])
    newer = [ours(code, "1.0.0") for code in OURS] + [small("treasury_link", "1.1.0")]
    new = build(city, NEW, [*newer, *(small(code, "1.1.0") for code in REPLACED)])
    city.rollout("apply", old, "--site", city.site, "--yes")
    for code in REPLACED:
        city.sql(FILL.format(schema=f"{code}_vendor"))
    plan = city.rollout("plan", new, "--site", city.site, expect=1).stdout
    assert "3 replaced, 4 upgraded" in plan
    city.rollout("apply", new, "--site", city.site, "--yes")
    assert city.rollout("audit", new, "--site", city.site).returncode == 0
    versions = json.loads(city.get("/version")[2])
    assert {one["code"]: one["dist"] for one in versions["systems"] if one["code"] in REPLACED} == {
        code: f"jincai-{code.replace('_', '-')}" for code in REPLACED
    }
    for code in REPLACED:
        assert seen(city, code) == seen(city, f"{code}_vendor") == "5000|1250250000"
    # What is written now comes along when it goes back.
    city.sql("INSERT INTO payroll.record VALUES ('new', 'title', 1)")
    city.rollout("rollback", "--site", city.site, "--yes")
    assert seen(city, "payroll_vendor") == "5001|1250250001"
    assert city.rollout("audit", old, "--site", city.site).returncode == 0
    city.rollout("apply", new, "--site", city.site, "--yes")
    shown = city.rollout("confirm", "--site", city.site, "--yes").stdout
    assert "the data of jincai-payroll-vendor, which it replaced, are removed" in shown
    assert city.sql("SELECT to_regnamespace('payroll_vendor')") == ""
    assert seen(city, "payroll") == "5001|1250250001"
    refused = city.rollout("rollback", "--site", city.site, "--yes", expect=2)
    assert "its data were removed when it was replaced" in refused.stdout + refused.stderr
