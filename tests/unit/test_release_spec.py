"""A release that people wrote wrongly is refused by file and key."""

from pathlib import Path

import pytest
import yaml

from rollout.errors import ConfigurationError
from rollout.paths import content
from rollout.release import overrides
from rollout.release.spec import System, find_spec, load_spec

RELEASES = sorted((content() / "releases").glob("*.yml"))


def write(folder: Path, change: dict[str, object] | None = None, text: str | None = None) -> Path:
    document = yaml.safe_load((content() / "releases" / "2026.1.yml").read_text(encoding="utf-8"))
    file = folder / "releases" / "2026.1.yml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(document | (change or {})) if text is None else text, encoding="utf-8")
    return file


@pytest.mark.parametrize("file", RELEASES, ids=lambda file: file.stem)
def test_every_release_of_the_clone_is_good(file: Path) -> None:
    assert load_spec(file).release == file.stem


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"release": "next"}, "release: "),
        ({"debian": "trixie"}, "debian: "),
        ({"latest": True}, "latest: "),
        ({"packages": {"base": []}}, "packages.base: "),
        (
            {"packages": {"base": ["Chrony"], "minicomputer": [], "storage": [], "control": []}},
            "packages.base[0]: ",
        ),
        ({"requirements": {"platform": "requirements/platform.txt"}}, "requirements.control: "),
        (
            {"systems": [{"code": "budget", "dist": "jincai-budget", "version": "1.0.0"}]},
            "systems[0].source: ",
        ),
        (
            {"systems": [{"code": "budget", "dist": "jincai-payment", "version": "1.0.0", "source": "x"}]},
            "systems[0]: ",
        ),
        (
            {"systems": [{"code": "budget", "dist": "jincai-budget", "version": "latest", "source": "x"}]},
            "systems[0].version: ",
        ),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, change: dict[str, object], key: str) -> None:
    file = write(tmp_path, change)
    with pytest.raises(ConfigurationError) as error:
        load_spec(file)
    assert f"{file}: {key}" in error.value.message


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, {"release": "next", "debian": "trixie"})
    with pytest.raises(ConfigurationError) as error:
        load_spec(file)
    assert error.value.message.count(str(file)) == 2


@pytest.mark.parametrize("text", ["a: [", "- a list", "", "\x00"])
def test_what_is_no_mapping_is_refused_by_file(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text=text)
    with pytest.raises(ConfigurationError, match=r"2026\.1\.yml"):
        load_spec(file)


def test_the_name_is_the_files(tmp_path: Path) -> None:
    file = write(tmp_path, {"release": "2026.2"})
    with pytest.raises(ConfigurationError, match=r"release: 2026\.2 must be the file's name"):
        load_spec(file)


def test_two_editions_of_one_system_are_refused(tmp_path: Path) -> None:
    entry = {"code": "budget", "version": "1.0.0", "source": "x"}
    twice = [{**entry, "dist": "jincai-budget"}, {**entry, "dist": "jincai-budget-lite"}]
    with pytest.raises(ConfigurationError, match="budget appears more than once"):
        load_spec(write(tmp_path, {"systems": twice}))


def test_an_unknown_release_names_the_others() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_spec(find_spec("1999.1"))
    assert "2026.1" in error.value.hint


@pytest.mark.parametrize(
    ("code", "dist", "edition"),
    [
        ("jincai", "jincai", None),
        ("budget", "jincai-budget", None),
        ("budget", "jincai-budget-lite", "lite"),
        ("treasury_link", "jincai-treasury-link-v2", "v2"),
    ],
)
def test_the_dist_says_the_edition(code: str, dist: str, edition: str | None) -> None:
    assert System(code=code, dist=dist, version="1", source="x").edition == edition


def test_overrides_are_read() -> None:
    assert overrides.pins(["postgresql-15=15.18-0+deb12u1", "keepalived=1:2.2.7-1+b2"]) == {
        "postgresql-15": "15.18-0+deb12u1",
        "keepalived": "1:2.2.7-1+b2",
    }
    system = overrides.systems(["budget=jincai-budget-lite@some/dir"])["budget"]
    assert (system.edition, system.version) == ("lite", None)
    assert Path(system.source).is_absolute()


@pytest.mark.parametrize("text", ["postgresql-15", "postgresql-15=", "=1", "a b=1", "x=$(reboot)"])
def test_a_pin_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--pin"):
        overrides.pins([text])


@pytest.mark.parametrize("text", ["budget", "budget=jincai-budget", "budget=jincai-payment@x", "=@"])
def test_a_system_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--system"):
        overrides.systems([text])
