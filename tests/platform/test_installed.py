"""Built wheels, installed as on a host: their digests agree, and editions exclude each other."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jincai import fingerprint

ROOT = Path(__file__).parents[2]
SOURCES = ["core", "systems/budget", "systems/payment", "systems/ledger"]
DISTS = ["jincai", "jincai-budget", "jincai-payment", "jincai-ledger"]


def build(source: Path, target: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=source,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for source in SOURCES:
        build(ROOT / "platform_app" / source, folder)
    return folder


class Installation:
    """A virtual environment with our dists; their dependencies are links into the tests' own."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = folder / "lib" / version / "site-packages"
        self.install(*wheels.glob("*.whl"))
        dependencies = folder / "dependencies"
        dependencies.mkdir()
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if not path.name.startswith(("jincai", "_jincai", "__pycache__")):
                (dependencies / path.name).symlink_to(path)
        (self.site / "dependencies.pth").write_text(str(dependencies))

    def install(self, *wheels: Path) -> None:
        uv = shutil.which("uv", path=Path(sys.executable).parent)
        assert uv
        offline = ["--offline", "--no-index", "--no-deps", "--python", str(self.python)]
        subprocess.run([uv, "pip", "install", *offline, *map(str, wheels)], check=True, capture_output=True)

    def jincai(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-B", "-m", "jincai", *arguments], text=True, capture_output=True, check=False
        )

    def version(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.jincai("version", "--json").stdout)
        return found


@pytest.fixture
def installation(tmp_path: Path, wheels: Path) -> Installation:
    return Installation(tmp_path / "venv", wheels)


def of_wheel(wheel: Path) -> dict[str, str]:
    """What the control node computes, from the wheel alone."""
    with zipfile.ZipFile(wheel) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        names = [row[0] for row in csv.reader(archive.read(record).decode().splitlines())]
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in names
            if ".dist-info/" not in name
        }


def test_an_installation_has_the_digests_of_its_wheels(installation: Installation, wheels: Path) -> None:
    found = installation.version()
    components = [found["platform"], *found["systems"]]
    digests = {one["dist"]: one["code_sha256"] for one in components}
    files = {dist: of_wheel(wheels / f"{dist.replace('-', '_')}-1.0.0-py3-none-any.whl") for dist in DISTS}
    assert digests == {dist: fingerprint.digest(files[dist]) for dist in DISTS}
    everything = {path: digest for dist in files.values() for path, digest in dist.items()}
    assert found["environment_sha256"] == fingerprint.digest(everything)


def test_bytecode_and_strangers_do_not_count(installation: Installation) -> None:
    before = installation.version()
    subprocess.run([installation.python, "-m", "compileall", "-q", installation.site / "jincai"], check=True)
    (installation.site / "stranger.py").write_text("")
    assert installation.version()["environment_sha256"] == before["environment_sha256"]


def test_one_changed_byte_shows(installation: Installation) -> None:
    before = installation.version()
    with (installation.site / "jincai_budget" / "__init__.py").open("a") as changed:
        changed.write("#")
    after = installation.version()
    assert after["platform"] == before["platform"]
    assert after["systems"] != before["systems"]
    assert after["environment_sha256"] != before["environment_sha256"]


def test_two_editions_refuse_to_start_and_one_replaces_the_other(
    installation: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "edition"
    shutil.copytree(ROOT / "platform_app" / "systems" / "budget", source)
    (source / "jincai_budget").rename(source / "jincai_budget_pilot")
    for path in [source / "pyproject.toml", *(source / "jincai_budget_pilot").glob("*.py")]:
        text = (
            path.read_text()
            .replace("jincai_budget", "jincai_budget_pilot")
            .replace("jincai-budget", "jincai-budget-pilot")
        )
        path.write_text(text.replace('name_en="', 'edition="pilot",\n    name_en="'))
    build(source, tmp_path)
    installation.install(*tmp_path.glob("jincai_budget_pilot-*.whl"))

    done = installation.jincai("version")
    assert done.returncode == 2
    assert (
        "two systems have the code 'budget': jincai-budget 1.0.0 and jincai-budget-pilot 1.0.0" in done.stderr
    )

    shutil.rmtree(installation.site / "jincai_budget")
    shutil.rmtree(installation.site / "jincai_budget-1.0.0.dist-info")
    assert "jincai-budget-pilot 1.0.0 (部门预算管理, pilot)" in installation.jincai("version").stdout
