"""What wheels install, and that their digests are those that the platform computes of itself."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest
from jincai import fingerprint

from rollout.audit import wheelfiles
from rollout.errors import VerificationError
from rollout.paths import Home
from rollout.release.manifest import Wheel

FILES = {
    "thing/__init__.py": b"x = 1\n",
    "thing/data, with comma.txt": b"y",
    "thing-1.0.data/purelib/other/module.py": b"z",
    "thing-1.0.data/scripts/run": b"#!python\n",
    "thing-1.0.dist-info/METADATA": b"Name: thing\nVersion: 1.0\n",
}


def _record(files: dict[str, bytes]) -> str:
    rows = []
    for path, content in files.items():
        value = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        name = f'"{path}"' if "," in path else path
        rows.append(f"{name},sha256={value},{len(content)}")
    return "\n".join([*rows, "thing-1.0.dist-info/RECORD,,", ""])


def _wheel(folder: Path) -> tuple[Path, Wheel]:
    file = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, content in FILES.items():
            archive.writestr(path, content)
        archive.writestr("thing-1.0.dist-info/RECORD", _record(FILES))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return file, Wheel(name="thing", version="1.0", file="x.whl", size=1, sha256=digest)


def test_the_files_of_a_wheel(tmp_path: Path) -> None:
    file, wheel = _wheel(tmp_path)
    files = wheelfiles.of_wheel(file, wheel, Home(tmp_path / "home"))
    assert sorted(files) == [
        "other/module.py",
        "thing-1.0.dist-info/METADATA",
        "thing/__init__.py",
        "thing/data, with comma.txt",
    ]
    assert files["thing/__init__.py"] == hashlib.sha256(b"x = 1\n").hexdigest()


def test_the_platform_computes_the_same_digest_of_its_installation(tmp_path: Path) -> None:
    file, wheel = _wheel(tmp_path)
    files = wheelfiles.of_wheel(file, wheel, Home(tmp_path / "home"))
    installed = tmp_path / "site-packages"
    for path, content in FILES.items():
        target = installed / path.removeprefix("thing-1.0.data/purelib/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    rows = (
        _record(FILES)
        .replace("thing-1.0.data/purelib/", "")
        .replace("thing-1.0.data/scripts/", "../../../bin/")
    )
    there = fingerprint.of_paths(installed, fingerprint.record_paths(rows))
    assert wheelfiles.code_sha256(files) == fingerprint.digest(there)


@pytest.mark.parametrize(
    "path", ["a/b.py", "bin/x", "a/__pycache__/b.pyc", "a-1.dist-info/METADATA", "a/b.dist-info/c", "x.py"]
)
def test_the_same_files_count_on_both_sides(path: str) -> None:
    assert wheelfiles.is_code(path) == fingerprint.counts(path)


def test_another_wheel_than_the_manifests_is_refused(tmp_path: Path) -> None:
    file, wheel = _wheel(tmp_path)
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(VerificationError, match="not the wheel that the manifest names"):
        wheelfiles.of_wheel(file, wheel, Home(tmp_path / "home"))


def test_a_wheel_is_read_once(tmp_path: Path) -> None:
    file, wheel = _wheel(tmp_path)
    first = wheelfiles.of_wheel(file, wheel, Home(tmp_path / "home"))
    file.unlink()
    assert wheelfiles.of_wheel(file, wheel, Home(tmp_path / "home")) == first
