"""Layers of a host's disk: frozen, stacked again, collected, and healed after an interruption."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from rollout.lab.disk import Disk
from rollout.lab.overlay import options
from rollout.lab.record import Record


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    Record("x-a", IPv4Address("198.19.250.11"), IPv4Network("198.19.250.0/24"), "/base", []).write(tmp_path)
    disk = Disk(tmp_path)
    disk.prepare()
    return disk


def layers(disk: Disk) -> list[int]:
    return Record.read(disk.folder).layers


def test_the_newest_layer_lies_on_top_and_the_bare_root_at_the_bottom() -> None:
    assert options([1, 4, 7], "/cache/root-1").startswith(
        "lowerdir=layers/7:layers/4:layers/1:identity:/cache/root-1,upperdir=upper,workdir=work,"
    )


def test_hundreds_of_layers_fit_the_kernels_page() -> None:
    assert len(options(list(range(1, 301)), "/var/cache/rollout-lab/root-0123456789ab")) < 4096


@pytest.mark.parametrize("base", ["/a:b", "/a,b", "/a\\b"])
def test_a_base_path_that_would_split_the_options_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="a base path cannot hold"):
        options([], base)


def test_freezing_keeps_what_was_written_and_starts_a_fresh_layer(disk: Disk) -> None:
    (disk.upper / "file").write_text("1")
    assert disk.freeze() == [1]
    assert (disk.layers / "1" / "file").read_text() == "1"
    assert list(disk.upper.iterdir()) == []


def test_freezing_an_untouched_disk_adds_no_layer(disk: Disk) -> None:
    assert disk.freeze() == []
    (disk.upper / "file").touch()
    assert disk.freeze() == [1]
    assert disk.freeze() == [1]


def test_going_back_drops_what_was_written_since(disk: Disk) -> None:
    (disk.upper / "file").touch()
    stack = disk.freeze()
    (disk.upper / "later").touch()
    disk.freeze()
    (disk.upper / "last").touch()
    disk.reset(stack)
    assert layers(disk) == [1]
    assert list(disk.upper.iterdir()) == []
    assert not (disk.folder / "trash").exists()


def test_layers_that_nobody_uses_are_collected(disk: Disk) -> None:
    for name in "abc":
        (disk.upper / name).touch()
        disk.freeze()
    disk.reset([1])
    disk.collect([[1, 2]])
    assert sorted(path.name for path in disk.layers.iterdir()) == ["1", "2"]


def test_a_number_in_use_is_never_given_twice(disk: Disk) -> None:
    for name in "ab":
        (disk.upper / name).touch()
        disk.freeze()
    disk.reset([1])
    (disk.upper / "c").touch()
    assert disk.freeze() == [1, 3]


@pytest.mark.parametrize("renamed", [False, True])
def test_an_interrupted_freeze_loses_nothing(disk: Disk, renamed: bool) -> None:
    (disk.upper / "file").touch()
    record = Record.read(disk.folder)
    record.freezing = 1
    record.write(disk.folder)
    if renamed:
        disk.upper.rename(disk.layers / "1")
    disk.prepare()
    assert layers(disk) == ([1] if renamed else [])
    assert ((disk.layers / "1" if renamed else disk.upper) / "file").exists()
    assert Record.read(disk.folder).freezing is None


@pytest.mark.parametrize("renamed", [False, True])
def test_an_interrupted_reset_is_finished(disk: Disk, renamed: bool) -> None:
    (disk.upper / "file").touch()
    record = Record.read(disk.folder)
    record.discarding = True
    record.write(disk.folder)
    if renamed:
        disk.upper.rename(disk.folder / "trash")
    disk.prepare()
    assert list(disk.upper.iterdir()) == []
    assert not (disk.folder / "trash").exists()
    assert not Record.read(disk.folder).discarding
