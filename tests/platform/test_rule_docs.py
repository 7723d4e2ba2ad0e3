"""What docs/rules.md shows is run: its rule, and both records of every row of its tables."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from jincai.monitoring import examples
from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.names import SPANS, WINDOWS
from jincai.monitoring.rule_file import load
from jincai_payment.monitored import PAYMENTS

from tests.platform.conftest import Urls
from tests.platform.rule_making import fires

TEXT = (Path(__file__).parents[2] / "docs/rules.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|$", TEXT, re.MULTILINE)


def _fires(cx: psycopg.Connection, when: str, shown: str) -> bool:
    said: Any = yaml.safe_load(shown)
    if isinstance(said, list):
        return fires(cx, when, earlier=said)
    if set(said) <= set(PAYMENTS.lookups):
        return fires(cx, when, lookups=said)
    return fires(cx, when, said)


@pytest.mark.parametrize(("when", "true", "false"), ROWS)
def test_row(database: Urls, when: str, true: str, false: str) -> None:
    with psycopg.connect(database.app, autocommit=True) as cx:
        assert _fires(cx, when, true)
        assert not _fires(cx, when, false)


@pytest.mark.parametrize("name", [*FUNCTIONS, *WINDOWS, *SPANS, *PAYMENTS.lookups])
def test_everything_has_a_row(name: str) -> None:
    assert any(f"{name}(" in when for when, _, _ in ROWS)


def test_whole_rule(database: Urls) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    with psycopg.connect(database.app, autocommit=True) as cx:
        assert examples.failures_now(cx, load(text, "R4.yml"), PAYMENTS) == []
