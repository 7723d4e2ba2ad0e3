import pytest
from jincai import settings
from jincai.errors import ConfigurationError


def test_an_empty_environment_is_complete() -> None:
    found = settings.from_environment({})
    assert found.owner_url is None
    assert found.app_role == "jincai_app"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert settings.from_environment({"JINCAI_RELEASE_SERIAL": ""}).release_serial is None


def test_migrations_prefer_their_own_url() -> None:
    both = {"JINCAI_DATABASE_URL": "postgresql:///a", "JINCAI_MIGRATION_DATABASE_URL": "postgresql:///b"}
    assert settings.from_environment(both).owner_url == "postgresql:///b"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JINCAI_RELEASE_SERIAL", "seven"),
        ("JINCAI_RELEASE_MANIFEST_SHA256", "ABC"),
        ("JINCAI_APP_ROLE", "jincai; DROP"),
        ("JINCAI_POOL_MAX", "0"),
        ("JINCAI_DATABASE_URL", "not a url"),
        ("JINCAI_MIGRATION_DATABASE_URL", "postgresql://x:geheim@[/y"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        settings.from_environment({name: value})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://jincai:geheim@10.0.0.1,10.0.0.2/jincai",
        "postgresql:///jincai?user=x&password=geheim&host=a",
    ],
)
def test_a_password_is_not_shown(url: str) -> None:
    assert "geheim" not in settings.without_password(url)
