"""What the real project met: a site with another edition of three systems and older versions of four."""

import json

import pytest

from tests.lab import editions
from tests.lab.city import City
from tests.lab.editions import REPLACED

pytestmark = pytest.mark.long

SEEN = "SELECT count(*), coalesce(sum(amount), 0) FROM {schema}.record"


def seen(city: City, schema: str) -> str:
    return city.sql(SEEN.format(schema=schema))


def test_three_replaced_four_upgraded_and_back(bare_city: City) -> None:
    city = bare_city
    editions.build(city)
    old, new = editions.OLD, editions.NEW
    city.rollout("apply", old, "--site", city.site, "--yes")
    editions.fill(city)
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
