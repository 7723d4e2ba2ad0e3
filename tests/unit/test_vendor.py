"""Browser libraries: only what vendor.json says comes in, and a wheel without them is not built."""

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools import vendor
from tools.vendor import Library, VendorError

CORE = Path(__file__).parents[2] / "platform_app" / "core"
FILES = {"dist/lib.min.js": b"lib()", "LICENSE": b"free"}


def packed(folder: Path, files: dict[str, bytes]) -> Path:
    package = folder / "lib-1.0.0.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return package


def library(package: Path, files: dict[str, bytes] | None = None) -> Library:
    wanted = {path: vendor.integrity_of(content) for path, content in (files or FILES).items()}
    return Library("lib", "1.0.0", vendor.integrity_of(package.read_bytes()), wanted)


def test_wanted_files_are_placed_once(tmp_path: Path) -> None:
    package = packed(tmp_path, {**FILES, "src/more.js": b"more"})
    one = library(package)
    assert len(vendor.missing(one, tmp_path / "vendor")) == 2
    vendor.place(one, package, tmp_path / "vendor")
    assert vendor.missing(one, tmp_path / "vendor") == []
    placed = {path.name for path in (tmp_path / "vendor" / "lib").iterdir()}
    assert placed == {"lib.min.js", "LICENSE"}
    (tmp_path / "vendor" / "lib" / "lib.min.js").write_bytes(b"lib() ")
    assert vendor.missing(one, tmp_path / "vendor") == [Path("lib/lib.min.js")]


def test_another_package_is_refused_whole(tmp_path: Path) -> None:
    one = library(packed(tmp_path, FILES))
    changed = packed(tmp_path, {**FILES, "LICENSE": b"not free"})
    with pytest.raises(VendorError, match=r"lib 1\.0\.0: the package that npm brought has the integrity"):
        vendor.place(one, changed, tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


@pytest.mark.parametrize(
    "wanted", [{"dist/other.js": b""}, {"LICENSE": b"free", "dist/lib.min.js": b"other"}]
)
def test_a_file_that_is_not_as_said_is_refused(tmp_path: Path, wanted: dict[str, bytes]) -> None:
    package = packed(tmp_path, FILES)
    with pytest.raises(VendorError, match=r"is not as vendor\.json says"):
        vendor.place(library(package, wanted), package, tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


def test_an_npm_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('E404 no such package')"]
    monkeypatch.setattr(vendor, "npm", lambda _into: failing)
    with pytest.raises(VendorError, match=r"npm pack lib@1\.0\.0 failed:\n  E404 no such package"):
        vendor.fetch(library(packed(tmp_path, FILES)), tmp_path)


def test_vendor_json_names_files_and_no_place_to_fetch_them() -> None:
    for one in vendor.libraries():
        assert re.fullmatch(r"\d+\.\d+\.\d+", one.version)
        assert all(said.startswith("sha512-") for said in (one.integrity, *one.files.values()))
        assert len(one.wanted) == len(one.files)
    assert "://" not in vendor.LIST.read_text()


def test_the_wheel_carries_them_and_none_is_built_without(tmp_path: Path) -> None:
    core = tmp_path / "core"
    shutil.copytree(CORE, core, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=core, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for one in vendor.libraries():
            for path, integrity in one.wanted.items():
                content = archive.read(f"jincai/pages/static/vendor/{path.as_posix()}")
                assert vendor.integrity_of(content) == integrity

    wanted = json.loads((core / "vendor.json").read_text())[0]
    name = f"{wanted['name']}/{Path(next(iter(wanted['files']))).name}"
    (core / "jincai" / "pages" / "static" / "vendor" / name).write_text("other")
    done = subprocess.run(build, cwd=core, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"static/vendor/{name} is not what vendor.json says: call make" in done.stdout + done.stderr
