"""What a host of a site believes: the release key, and nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollout.depot import host_verify
from rollout.depot.push import wanted_files
from rollout.paths import Home
from rollout.release import synthetic
from rollout.release.build import Built
from rollout.release.sign import Keyring
from rollout.release.synthetic import Content


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return synthetic.build(Home(tmp_path_factory.mktemp("home")), serial=5)


@pytest.fixture
def key(built: Built) -> Path:
    return built.folder / "keys" / "release.gpg"


@pytest.fixture
def mirror(built: Built, tmp_path: Path) -> Path:
    """A build as a push leaves it on ``s``."""
    folder = tmp_path / "2026.1-5"
    for name in wanted_files(built.folder, built.manifest):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(built.folder / name, folder / name)
    return folder


def verify(folder: Path, key: Path, **more: Any) -> dict[str, Any]:
    arguments = {"kind": "storage", "mirror": True, **more}
    accepted = arguments.pop("accepted", folder.parent / "accepted.json")
    return host_verify.verify(folder, key, accepted, **arguments)


def test_a_mirror_holds(mirror: Path, key: Path, built: Built) -> None:
    result = verify(mirror, key)
    assert result["ok"], result
    assert (result["release"], result["serial"]) == ("2026.1", 5)
    assert result["manifest_sha256"] == built.manifest.sha256()
    assert result["checked"] == len(wanted_files(built.folder, built.manifest)) - 2


def test_a_minicomputer_checks_what_it_has(mirror: Path, key: Path) -> None:
    for folder in ("apt", "keys"):
        shutil.rmtree(mirror / folder)
    result = verify(mirror, key, kind="minicomputer", model="mini-x", mirror=False)
    assert result["ok"], result
    assert result["checked"] == 4  # fastapi, jincai, jincai-budget, pip
    (mirror / "wheels" / "fastapi-0.1-py3-none-any.whl").write_bytes(b"x")
    assert verify(mirror, key, kind="minicomputer", mirror=False)["failures"] == [
        "wheels/fastapi-0.1-py3-none-any.whl: changed"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "apt/pool/haproxy_2.6.1-1_all.deb",
        "wheels/jincai-1.0.0-py3-none-any.whl",
        "apt/dists/2026.1/InRelease",
        "apt/dists/2026.1/site/binary-amd64/Packages.gz",
        "wheels/platform.requirements.txt",
        "manifest.json",
    ],
)
def test_one_changed_bit_is_refused_by_name(mirror: Path, key: Path, name: str) -> None:
    content = bytearray((mirror / name).read_bytes())
    content[len(content) // 2] ^= 1
    (mirror / name).chmod(0o644)
    (mirror / name).write_bytes(bytes(content))
    result = verify(mirror, key)
    assert not result["ok"]
    assert name in result["failures"][0]


def test_missing_unknown_and_linked_files_are_named(mirror: Path, key: Path) -> None:
    (mirror / "apt/pool/haproxy_2.6.1-1_all.deb").unlink()
    (mirror / "apt/pool/evil.deb").write_bytes(b"x")
    wheel = mirror / "wheels/fastapi-0.1-py3-none-any.whl"
    shutil.move(wheel, mirror.parent / "elsewhere")
    wheel.symlink_to(mirror.parent / "elsewhere")
    assert verify(mirror, key)["failures"] == [
        "apt/pool/evil.deb: not in the manifest",
        "apt/pool/haproxy_2.6.1-1_all.deb: missing",
        "wheels/fastapi-0.1-py3-none-any.whl: changed",
    ]
    (mirror / "manifest.json.asc").unlink()
    assert "manifest.json.asc: missing" in verify(mirror, key)["failures"][0]


def test_another_key_is_refused(mirror: Path, key: Path, tmp_path: Path) -> None:
    other = Keyring(Home(tmp_path / "other"), "release")
    other.ensure()
    assert "signed by another key" in verify(mirror, other.public_path)["failures"][0]
    (mirror / "manifest.json.asc").unlink()
    (mirror / "manifest.json.asc").write_bytes(other.sign_detached((mirror / "manifest.json").read_bytes()))
    assert "signed by another key" in verify(mirror, key)["failures"][0]


def test_serials(mirror: Path, key: Path, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.json"
    accepted.write_text('{"serial": 6}')
    assert "serial 5 is older than 6" in verify(mirror, key)["failures"][0]
    assert verify(mirror, key, rollback=True)["ok"]
    accepted.write_text(json.dumps({"serial": 5, "manifest_sha256": "0" * 64}))
    assert "other content" in verify(mirror, key)["failures"][0]
    accepted.write_text('{"serial": 5}')
    assert verify(mirror, key)["ok"]


def test_the_highest_serial_stays_after_a_rollback(tmp_path: Path) -> None:
    file = tmp_path / "var" / "accepted.json"
    assert host_verify.accept(file, 5, "a")
    assert not host_verify.accept(file, 5, "a")
    assert host_verify.accept(file, 7, "b")
    assert not host_verify.accept(file, 5, "a")
    assert host_verify.accepted_before(file) == {"serial": 7, "manifest_sha256": "b"}


def test_as_a_program_on_a_host(mirror: Path, key: Path, tmp_path: Path) -> None:
    """Sent as text, with the standard library only; it remembers what it accepted."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        places = ["--key", str(key), "--accepted", str(tmp_path / "accepted.json")]
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-", str(mirror), *places, *arguments],
            input=Path(host_verify.__file__).read_text(encoding="utf-8"),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    code, result = run("--mirror", "--kind", "storage", "--accept")
    assert (code, result["ok"], result["changed"]) == (0, True, True)
    (mirror / "manifest.json.asc").unlink()
    code, result = run("--mirror")
    assert (code, result["ok"]) == (1, False)


def test_a_site_needs_no_control_nodes_files(built: Built) -> None:
    manifest = built.manifest.model_dump(mode="json")
    files = set(host_verify.site_files(manifest))
    assert "apt/pool/gnupg_2.2_all.deb" not in files
    for kind in host_verify.SITE_KINDS:
        assert set(host_verify.host_files(manifest, kind, "mini-x")) <= files
        ours = {deb.file for deb in built.manifest.debs_of(kind, "mini-x").values()}
        assert ours <= set(host_verify.host_files(manifest, kind, "mini-x"))


def test_a_changed_content_differs(tmp_path: Path, key: Path) -> None:
    """A whole, well-formed build of another owner."""
    other = synthetic.build(Home(tmp_path / "other"), Content(platform={"fastapi": "9"}))
    assert "signed by another key" in verify(other.folder, key)["failures"][0]
