"""The Ansible modules' own logic, on real files, wheels and processes."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from jincai import fingerprint

from rollout.paths import content


def load(kind: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, content() / "plugins" / kind / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stale = load("modules", "stale_units")
wheel_files = load("module_utils", "wheel_files")


@pytest.fixture
def replaced() -> Iterator[int]:
    """A process whose program is no longer on the disk, below a folder that counts."""
    folder = Path("/opt") if os.access("/opt", os.W_OK) else None
    if folder is None:
        pytest.skip("needs a writable /opt: only programs below /usr, /opt and the like count")
    program = folder / f"rollout-test-{os.getpid()}"
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([str(program), "60"])
    program.unlink()
    yield process.pid
    process.kill()
    process.wait()


def test_a_process_whose_program_was_replaced_is_stale(replaced: int) -> None:
    assert stale.is_stale(Path(f"/proc/{replaced}"))
    assert not stale.is_stale(Path("/proc/self"))
    assert not stale.is_stale(Path("/proc/none"))


def test_a_process_belongs_to_the_unit_of_its_control_group() -> None:
    cgroup = "0::/payload/system.slice/system-jincai.slice/jincai@1.service\n"
    assert stale.unit_of(cgroup, ["etcd.service", "jincai@1.service"]) == "jincai@1.service"
    assert stale.unit_of("1:name=systemd:/user.slice\n", ["etcd.service"]) is None
    # A unit's name inside another's must not count.
    assert stale.unit_of("0::/system.slice/my-etcd.service\n", ["etcd.service"]) is None


def test_when_a_unit_last_changed() -> None:
    assert stale.changed_at("Thu 1970-01-01 00:00:02.500000 UTC\n") == 2.5
    assert stale.changed_at("\n") == 0.0


def test_the_newest_of_some_files(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("x")
    os.utime(file, (5, 5))
    assert stale.newest([str(file), str(tmp_path / "none")]) == 5
    assert stale.newest([]) == 0


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A small wheel, made as pip makes them."""
    source = tmp_path / "source"
    (source / "small").mkdir(parents=True)
    (source / "small" / "__init__.py").write_text('__version__ = "1"\n')
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "small"\nversion = "1"\n'
    )
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(argv, cwd=source, check=True, capture_output=True)
    return next(tmp_path.glob("small-1-*.whl"))


def unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_an_environment_as_in_its_wheels_has_no_differences(wheel: Path, tmp_path: Path) -> None:
    site = unpack(wheel, tmp_path / "site")
    (site / "small-1.dist-info" / "INSTALLER").write_text("pip\n")
    assert wheel_files.differences(wheel_files.wheel_files(wheel), site) == []


def test_every_kind_of_difference_is_named(wheel: Path, tmp_path: Path) -> None:
    site = unpack(wheel, tmp_path / "site")
    expected = wheel_files.wheel_files(wheel)
    module = site / "small" / "__init__.py"
    module.write_bytes(b"X" + module.read_bytes()[1:])
    (site / "small" / "__pycache__").mkdir()
    (site / "small" / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"other code")
    (site / "small-1.dist-info" / "METADATA").unlink()
    (site / "run.pth").write_text("import os\n")
    assert sorted(wheel_files.differences(expected, site)) == [
        "extra run.pth",
        "extra small/__pycache__/__init__.cpython-311.pyc",
        "missing small-1.dist-info/METADATA",
        "modified small/__init__.py",
    ]


def test_a_link_in_place_of_a_file_is_a_difference(wheel: Path, tmp_path: Path) -> None:
    site = unpack(wheel, tmp_path / "site")
    module = site / "small" / "__init__.py"
    module.rename(tmp_path / "elsewhere.py")
    module.symlink_to(tmp_path / "elsewhere.py")
    assert wheel_files.differences(wheel_files.wheel_files(wheel), site) == ["modified small/__init__.py"]


def test_the_digest_is_the_one_that_a_process_reports(wheel: Path) -> None:
    files = wheel_files.wheel_files(wheel)
    code = {path: digest for path, digest in files.items() if fingerprint.counts(path)}
    assert wheel_files.code_digest(files) == fingerprint.digest(code)


haproxy = load("modules", "haproxy_servers")


def test_what_haproxy_says_of_its_servers() -> None:
    text = (
        "# pxname,svname,qcur,status,weight\n"
        "site,FRONTEND,,OPEN,\njincai,nanning-a-1,0,UP,1\njincai,nanning-b-1,0,NOLB,1\njincai,BACKEND,0,UP,1\n"
    )
    assert haproxy.states(text) == {"nanning-a-1": "UP", "nanning-b-1": "NOLB"}


def test_where_no_haproxy_listens_nothing_is_known(tmp_path: Path) -> None:
    assert haproxy._known(str(tmp_path / "admin.sock")) is None
