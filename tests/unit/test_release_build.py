"""Builds: the same content gives the same bytes, a serial has one content forever, nothing is half there."""

import dataclasses
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, HeldError, VerificationError
from rollout.paths import Home
from rollout.release import depot, dists, ledger, synthetic
from rollout.release.contents import Sources, collect_wheels
from rollout.release.manifest import Manifest
from rollout.release.spec import Packages, Requirements, Spec, System
from rollout.release.store import Store
from rollout.release.synthetic import Content


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


NEWER = Content(minicomputer={"base-made-up": "1.0", "haproxy": "2.6.2-1"})


def test_the_first_serial_is_one_and_a_repeat_changes_nothing(home: Home) -> None:
    first = synthetic.build(home)
    assert (first.manifest.build, first.unchanged) == ("2026.1-1", False)
    second = synthetic.build(home)
    assert (second.manifest.build, second.unchanged) == ("2026.1-1", True)
    assert [path.name for path in home.depot.iterdir()] == ["2026.1-1"]


def test_other_content_gets_the_next_serial_over_all_releases(home: Home) -> None:
    synthetic.build(home)
    assert synthetic.build(home, dataclasses.replace(NEWER, release="2026.2")).manifest.build == "2026.2-2"
    assert synthetic.build(home, NEWER).manifest.build == "2026.1-3"


def test_a_deleted_build_is_made_again_byte_for_byte(home: Home) -> None:
    first = synthetic.build(home)
    before = files(first.folder)
    for file in home.depot.rglob("*"):
        if file.is_file():
            file.unlink()
    first.folder.rename(home.root / "gone")
    again = synthetic.build(home)
    assert again.manifest.build == "2026.1-1"
    assert files(again.folder) == before


def test_a_serial_is_not_used_again_after_its_build_was_deleted(home: Home) -> None:
    first = synthetic.build(home)
    first.folder.rename(home.root / "gone")
    assert synthetic.build(home, NEWER).manifest.serial == 2


def test_two_homes_with_one_key_build_the_same_bytes(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    first = synthetic.build(home)
    home.keys.rename(other.root.parent / "keys")
    other.root.mkdir()
    (other.root.parent / "keys").rename(other.root / "keys")
    assert files(synthetic.build(other).folder) == files(first.folder)


def test_a_signed_serial_with_other_content_is_refused_by_component(home: Home) -> None:
    synthetic.build(home)
    with pytest.raises(VerificationError, match=r"serial 1 was signed as 2026\.1-1") as error:
        synthetic.build(home, NEWER, serial=1)
    assert "haproxy: 2.6.1-1 → 2.6.2-1" in error.value.message
    assert len(error.value.message.splitlines()) == 2  # not the indices that follow from it


def test_the_same_version_with_other_bytes_is_called_other_content(home: Home) -> None:
    synthetic.build(home)
    changed = Content(files={"jincai-budget": {"jincai_budget/more.py": b"x = 1\n"}})
    with pytest.raises(VerificationError, match=r"jincai-budget \(wheel\) 1\.0\.0: other content"):
        synthetic.build(home, changed, serial=1)


def test_other_sets_of_packages_are_other_content(home: Home) -> None:
    synthetic.build(home)
    moved = Content(storage={"base-made-up": "1.0", "nginx-light": "1:1.22-9", "haproxy": "2.6.1-1"})
    assert synthetic.build(home, moved).manifest.serial == 2
    with pytest.raises(VerificationError, match="the sets of packages and wheels"):
        synthetic.build(home, moved, serial=1)


def test_an_explicit_serial_only_grows(home: Home) -> None:
    assert synthetic.build(home, serial=7).manifest.build == "2026.1-7"
    assert synthetic.build(home, serial=7).unchanged
    with pytest.raises(ConfigurationError, match="below the highest signed serial 7"):
        synthetic.build(home, NEWER, serial=3)
    assert synthetic.build(home, NEWER).manifest.serial == 8


def test_an_interrupted_build_leaves_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(depot, "publish", fail)
        with pytest.raises(KeyboardInterrupt):
            synthetic.build(home)
    assert list(home.depot.iterdir()) == []
    assert synthetic.build(home).manifest.build == "2026.1-1"


def test_what_a_killed_build_left_is_swept(home: Home) -> None:
    left = home.depot / ".partial-old"
    left.mkdir()
    (left / "file").write_text("half")
    synthetic.build(home)
    assert not left.exists()


def test_a_build_killed_after_its_entry_keeps_its_serial(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            synthetic.build(home)
    built = synthetic.build(home)
    assert (built.manifest.serial, built.unchanged) == (1, False)


def test_two_builds_at_once_are_refused(home: Home) -> None:
    with ledger.lock(home), pytest.raises(HeldError, match="another build or import"):
        synthetic.build(home)


def test_a_foreign_entry_in_the_ledger_is_named(home: Home) -> None:
    synthetic.build(home)
    (home.root / "signed" / "2026.1-1.json").write_text('{"format": 9}')
    with pytest.raises(ConfigurationError, match=r"signed/2026\.1-1\.json"):
        synthetic.build(home)


def test_damage_in_the_cache_is_never_handed_on(home: Home) -> None:
    store = Store(home.cache)
    file = home.cache / "made-up"
    file.write_bytes(b"good")
    digest = store.add(file)
    assert store.holds(digest)
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"evil")
    assert not store.holds(digest)
    assert not store.path(digest).exists()


def test_the_manifest_says_what_is_ours_and_what_is_protected(home: Home) -> None:
    content = Content(systems={"jincai": "1.0.0", "jincai-budget-lite": "1.1.0"})
    manifest = synthetic.build(home, content).manifest
    assert [(w.system, w.name, w.edition) for w in manifest.systems()] == [
        ("jincai", "jincai", None),
        ("budget", "jincai-budget-lite", "lite"),
    ]
    assert {deb.name for deb in manifest.debs if deb.protected} == {"base-made-up", "firmware-x"}
    assert set(manifest.debs_of("minicomputer", "mini-x")) == {"base-made-up", "haproxy", "firmware-x"}
    assert set(manifest.debs_of("storage")) == {"base-made-up", "nginx-light"}
    assert manifest.installer not in manifest.platform


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a//b", "./a", "a/.", "a b", "ü", ""])
def test_a_path_that_leaves_the_build_is_refused(home: Home, path: str) -> None:
    document = synthetic.build(home).manifest.model_dump(mode="json")
    document["debs"][0]["file"] = path
    with pytest.raises(ValueError, match="file"):
        Manifest.model_validate(document)


# Our own dists, really built.


def project(folder: Path, version: str, name: str = "jincai-budget") -> Path:
    module = folder / name.replace("-", "_")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n'
    )
    return folder


def test_a_dist_built_twice_is_the_same(home: Home, tmp_path: Path) -> None:
    source = project(tmp_path / "budget", "1.0.0")
    store = Store(home.cache)
    first = dists.build(source, "jincai-budget", store, home.cache)
    (source / "jincai_budget" / "__init__.py").touch()
    assert dists.build(source, "jincai-budget", store, home.cache) == first
    assert store.holds(first.sha256)


def test_another_version_than_the_releases_is_refused_by_file_and_key(home: Home, tmp_path: Path) -> None:
    project(tmp_path / "budget", "1.0.1")
    spec = Spec(
        release="2026.1",
        debian="bookworm",
        packages=Packages(base=["systemd"], minicomputer=[], storage=[], control=[]),
        requirements=Requirements(platform="none.txt", control="none.txt"),
        systems=[System(code="budget", dist="jincai-budget", version="1.0.0", source="budget")],
    )
    sources = Sources(file=Path("releases/2026.1.yml"), spec=spec, root=tmp_path)
    with pytest.raises(ConfigurationError) as error:
        collect_wheels(sources, home.cache, Store(home.cache))
    said = "releases/2026.1.yml: systems[0].version: 1.0.0, but budget is jincai-budget 1.0.1"
    assert said in error.value.message


def test_a_dist_of_another_name_is_refused_by_file_and_key(home: Home, tmp_path: Path) -> None:
    source = project(tmp_path / "budget", "1.0.0", name="jincai-payment")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: project\.name is jincai-payment"):
        dists.build(source, "jincai-budget", Store(home.cache), home.cache)


def test_a_dist_that_does_not_build_says_why(home: Home, tmp_path: Path) -> None:
    source = project(tmp_path / "budget", "1.0.0")
    with (source / "pyproject.toml").open("a") as stream:
        stream.write('[tool.hatch.build.targets.wheel.force-include]\n"nowhere" = "x"\n')
    with pytest.raises(
        ConfigurationError, match=r"(?s)pyproject\.toml: jincai-budget does not build.*nowhere"
    ):
        dists.build(source, "jincai-budget", Store(home.cache), home.cache)
    assert list(home.cache.glob("incoming-*")) == []
