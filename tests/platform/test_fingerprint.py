import hashlib
from importlib import metadata
from pathlib import Path

import pytest
from jincai import fingerprint


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_digest_is_one_line_a_file_sorted_by_path() -> None:
    text = f"a/b.py {sha256(b'1')}\na/数据.csv {sha256(b'2')}\n"
    files = {"a/数据.csv": sha256(b"2"), "a/b.py": sha256(b"1")}
    assert fingerprint.digest(files) == sha256(text.encode())


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("jincai/app.py", True),
        ("six.py", True),
        ("distutils-precedence.pth", True),
        ("jincai/bin/tool", True),
        ("jincai-1.0.0.dist-info/METADATA", False),
        ("jincai/__pycache__/app.cpython-311.pyc", False),
        ("../../../bin/jincai", False),
        ("bin/jincai", False),
        ("/usr/bin/jincai", False),
    ],
)
def test_what_counts_as_code(path: str, *, counts: bool) -> None:
    assert fingerprint.counts(path) is counts


def test_record_paths_may_be_quoted() -> None:
    record = 'jincai/a.py,sha256=x,1\n"jincai/a,b.csv",sha256=y,2\njincai-1.dist-info/RECORD,,\n'
    assert fingerprint.record_paths(record) == ["jincai/a.py", "jincai/a,b.csv"]


def installed(site: Path, name: str, record: str) -> metadata.Distribution:
    info = site / f"{name}-1.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
    (info / "RECORD").write_text(record)
    return metadata.PathDistribution(info)


def test_a_distribution_counts_what_its_record_names(tmp_path: Path) -> None:
    dist = installed(tmp_path, "demo", "demo/a.py,,\ndemo/gone.py,,\ndemo-1.0.0.dist-info/RECORD,,\n")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.py").write_bytes(b"a = 1\n")
    (tmp_path / "demo" / "unlisted.py").write_bytes(b"")
    assert fingerprint.of_distribution(dist) == {"demo/a.py": sha256(b"a = 1\n"), "demo/gone.py": "missing"}


def test_an_editable_distribution_has_no_files_of_its_own(tmp_path: Path) -> None:
    dist = installed(tmp_path, "demo", "_demo.pth,,\ndemo-1.0.0.dist-info/RECORD,,\n")
    assert fingerprint.of_distribution(dist) == {}


def test_a_folder_counts_like_an_installation(tmp_path: Path) -> None:
    for name in ("a.py", "data/x.csv", "__pycache__/a.pyc"):
        path = tmp_path / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert fingerprint.of_folder(tmp_path / "demo") == {
        "demo/a.py": sha256(b"x"),
        "demo/data/x.csv": sha256(b"x"),
    }


def test_an_environment_is_the_union_of_its_distributions(tmp_path: Path) -> None:
    for name in ("one", "two"):
        installed(tmp_path, name, f"{name}.py,,\nshared.py,,\n")
        (tmp_path / f"{name}.py").write_bytes(name.encode())
    (tmp_path / "shared.py").write_bytes(b"s")
    expected = {"one.py": sha256(b"one"), "two.py": sha256(b"two"), "shared.py": sha256(b"s")}
    assert fingerprint.of_environment(tmp_path) == expected


def test_one_changed_byte_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    file = tmp_path / "demo" / "a.py"
    file.write_bytes(b"1")
    before = fingerprint.digest(fingerprint.of_folder(tmp_path / "demo"))
    file.write_bytes(b"2")
    assert fingerprint.digest(fingerprint.of_folder(tmp_path / "demo")) != before
