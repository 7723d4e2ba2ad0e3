import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter
from jincai import __version__, plugins
from jincai.errors import PluginError
from jincai.system import System
from pydantic import ValidationError


def system(**changes: Any) -> System:
    usual = {
        "code": "payroll",
        "dist": "jincai-payroll",
        "name": "财政工资统发",
        "name_en": "Payroll",
        "version": "1.2.0",
        "platform": ">=1.0,<2",
        "migrations": Path("/nowhere"),
        "router": APIRouter,
    }
    return System.model_validate(usual | changes)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that entry points can name, filled by the test."""
    module = ModuleType("plugged_for_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def entry(name: str, attribute: str) -> EntryPoint:
    return EntryPoint(name, f"plugged_for_test:{attribute}", plugins.GROUP)


def test_the_installed_systems_fit() -> None:
    assert [one.code for one in plugins.load()] == ["budget", "ledger", "payment"]


def test_systems_come_sorted_by_code(plugged: ModuleType) -> None:
    plugged.a, plugged.b = system(code="zoo"), system(code="ant")
    assert [one.code for one in plugins.load([entry("zoo", "a"), entry("ant", "b")])] == ["ant", "zoo"]


def test_two_systems_with_one_code_are_both_named(plugged: ModuleType) -> None:
    plugged.a, plugged.b = system(), system(dist="jincai-payroll-pilot", edition="pilot", version="1.1.0")
    with pytest.raises(
        PluginError, match=r"'payroll': jincai-payroll 1\.2\.0 and jincai-payroll-pilot 1\.1\.0"
    ):
        plugins.load([entry("payroll", "a"), entry("payroll", "b")])


def test_a_system_for_another_platform_names_both(plugged: ModuleType) -> None:
    plugged.a = system(platform=">=2.0")
    needs = rf"jincai-payroll 1\.2\.0 works with jincai >=2\.0, but this is jincai {__version__}"
    with pytest.raises(PluginError, match=needs):
        plugins.load([entry("payroll", "a")])


def test_every_misfit_is_named_at_once(plugged: ModuleType) -> None:
    plugged.a, plugged.b = system(platform=">=2"), system(platform="about 1")
    with pytest.raises(PluginError) as caught:
        plugins.load([entry("payroll", "a"), entry("payroll", "b")])
    assert len(caught.value.message.splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("plugged_for_test:missing", "cannot be loaded"),
        ("no_such_module_at_all:SYSTEM", "no_such_module_at_all"),
        ("plugged_for_test:number", "yields int"),
        ("plugged_for_test:other", "name and code must agree"),
    ],
)
def test_a_broken_entry_point_is_named(plugged: ModuleType, value: str, message: str) -> None:
    plugged.number, plugged.other = 7, system(code="other")
    with pytest.raises(PluginError, match=f"'payroll'.*{message}"):
        plugins.load([EntryPoint("payroll", value, plugins.GROUP)])


@pytest.mark.parametrize("wrong", [{"code": "Pay roll"}, {"dist": "payroll"}, {"name": ""}])
def test_a_system_is_checked_where_it_is_made(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        system(**wrong)


def test_a_system_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        system().code = "other"  # type: ignore[misc]  # mypy knows it as well
