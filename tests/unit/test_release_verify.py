"""One changed byte anywhere is refused, by name; so is everything else that is not what was signed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import synthetic
from rollout.release.manifest import NAME, SIGNATURE, Index, Manifest
from rollout.release.sign import Keyring
from rollout.release.summary import summary
from rollout.release.synthetic import Content
from rollout.release.verify import check_serial, find_build, public_key, verify_build


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    synthetic.build(home)
    return home


@pytest.fixture
def build(signed: Home, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(signed.depot / "2026.1-1", tmp_path / "2026.1-1"))


def refused(build: Path, home: Home) -> str:
    with pytest.raises(VerificationError) as error:
        verify_build(build, public_key(home))
    return error.value.message


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(bytes(content))


def resign(build: Path, home: Home, change: Callable[[dict[str, object]], None]) -> Manifest:
    """A manifest that the release key's owner signed by mistake: the build has to agree with itself too."""
    document = Manifest.read(build).model_dump(mode="json")
    change(document)
    manifest = Manifest.model_validate(document)
    write(build, home, manifest)
    return manifest


def write(build: Path, home: Home, manifest: Manifest) -> None:
    content = manifest.text().encode()
    (build / NAME).chmod(0o644)
    (build / NAME).write_bytes(content)
    (build / SIGNATURE).chmod(0o644)
    (build / SIGNATURE).write_bytes(Keyring(home, "release").sign_detached(content))


def test_a_build_is_what_was_signed(build: Path, signed: Home) -> None:
    assert verify_build(build, public_key(signed)).build == "2026.1-1"


@pytest.mark.parametrize(
    "name",
    [
        "apt/pool/haproxy_2.6.1-1_all.deb",
        "apt/pool/gnupg_2.2_all.deb",
        "wheels/jincai_budget-1.0.0-py3-none-any.whl",
        "wheels/pip-26.3-py3-none-any.whl",
        "wheels/platform.requirements.txt",
        "apt/dists/2026.1/Release",
        "apt/dists/2026.1/InRelease",
        "apt/dists/2026.1/Release.gpg",
        "apt/dists/2026.1/site/binary-amd64/Packages",
        "apt/dists/2026.1/control/binary-amd64/Packages.gz",
        "keys/release.gpg",
        "install.sh",
        "SHA256SUMS",
        "manifest.json",
        "manifest.json.asc",
    ],
)
def test_one_changed_bit_is_refused_by_name(build: Path, signed: Home, name: str) -> None:
    flip(build / name)
    assert name in refused(build, signed) or (name == SIGNATURE and NAME in refused(build, signed))


def test_the_component_is_named_too(build: Path, signed: Home) -> None:
    flip(build / "apt/pool/haproxy_2.6.1-1_all.deb")
    message = refused(build, signed)
    assert "(haproxy 2.6.1-1): sha256 is" in message
    assert "nginx" not in message


def test_every_damage_is_named_at_once(build: Path, signed: Home) -> None:
    flip(build / "apt/pool/haproxy_2.6.1-1_all.deb")
    flip(build / "wheels/fastapi-0.1-py3-none-any.whl")
    (build / "install.sh").unlink()
    message = refused(build, signed)
    assert all(name in message for name in ("haproxy_2.6.1-1", "fastapi-0.1", "install.sh: missing"))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.asc", "apt/pool/haproxy_2.6.1-1_all.deb"])
def test_a_missing_file_is_named(build: Path, signed: Home, name: str) -> None:
    (build / name).unlink()
    assert f"{name}: missing" in refused(build, signed)


@pytest.mark.parametrize(
    "name", ["more", "apt/pool/evil_1_all.deb", "wheels/evil-1-py3-none-any.whl", ".hidden"]
)
def test_an_unlisted_file_is_named(build: Path, signed: Home, name: str) -> None:
    (build / name).write_bytes(b"x")
    assert f"{name}: not listed" in refused(build, signed)


def test_links_are_no_files(build: Path, signed: Home, tmp_path: Path) -> None:
    file = build / "apt/pool/haproxy_2.6.1-1_all.deb"
    shutil.move(file, tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert "haproxy_2.6.1-1_all.deb: not a plain file" in refused(build, signed)
    (build / "extra").symlink_to("/etc")
    assert "extra: not listed" in refused(build, signed)


def test_another_size_is_said(build: Path, signed: Home) -> None:
    with (build / "wheels/fastapi-0.1-py3-none-any.whl").open("ab") as stream:
        stream.write(b"x")
    assert "fastapi-0.1-py3-none-any.whl (fastapi 0.1): " in refused(build, signed)
    assert "bytes, expected" in refused(build, signed)


def test_another_keys_signature_is_refused(build: Path, signed: Home, tmp_path: Path) -> None:
    other = Keyring(Home(tmp_path / "other"), "release")
    other.ensure()
    (build / SIGNATURE).unlink()
    (build / SIGNATURE).write_bytes(other.sign_detached((build / NAME).read_bytes()))
    assert "signed by another key" in refused(build, signed)


def test_the_report_key_signs_no_release(build: Path, signed: Home) -> None:
    report = Keyring(signed, "report")
    report.ensure()
    (build / SIGNATURE).unlink()
    (build / SIGNATURE).write_bytes(report.sign_detached((build / NAME).read_bytes()))
    assert "signed by another key" in refused(build, signed)


def test_a_whole_build_of_another_key_is_refused(signed: Home, tmp_path: Path) -> None:
    other = synthetic.build(Home(tmp_path / "other"))
    assert "signed by another key" in refused(other.folder, signed)


def test_a_renamed_build_is_refused(build: Path, signed: Home) -> None:
    renamed = build.rename(build.with_name("2026.1-9"))
    assert "the manifest inside is that of 2026.1-1" in refused(renamed, signed)


# What the signature cannot see: a manifest that is signed but does not agree with the rest of the build.


def test_a_signed_path_that_climbs_is_refused(build: Path, signed: Home) -> None:
    content = (build / NAME).read_bytes().replace(b"wheels/fastapi", b"../xxxxfastapi")
    (build / NAME).unlink()
    (build / NAME).write_bytes(content)
    (build / SIGNATURE).unlink()
    (build / SIGNATURE).write_bytes(Keyring(signed, "release").sign_detached(content))
    message = refused(build, signed)
    assert "wheels.0.file" in message
    assert "must stay below" in message


def test_a_signed_text_that_is_not_canonical_is_refused(build: Path, signed: Home) -> None:
    content = (build / NAME).read_bytes() + b"\n"
    (build / NAME).unlink()
    (build / NAME).write_bytes(content)
    (build / SIGNATURE).unlink()
    (build / SIGNATURE).write_bytes(Keyring(signed, "release").sign_detached(content))
    assert "not in canonical form" in refused(build, signed)


def version(document: dict[str, object]) -> None:
    debs = document["debs"]
    assert isinstance(debs, list)
    next(deb for deb in debs if deb["name"] == "haproxy")["version"] = "9"


def wheel_version(document: dict[str, object]) -> None:
    wheels = document["wheels"]
    assert isinstance(wheels, list)
    next(wheel for wheel in wheels if wheel["name"] == "fastapi")["version"] = "9"


def unknown_package(document: dict[str, object]) -> None:
    packages = document["packages"]
    assert isinstance(packages, dict)
    packages["storage"].append("patroni")


def control_only(document: dict[str, object]) -> None:
    packages = document["packages"]
    assert isinstance(packages, dict)
    packages["storage"].append("gnupg")


def no_storage(document: dict[str, object]) -> None:
    packages = document["packages"]
    assert isinstance(packages, dict)
    del packages["storage"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (version, "site/binary-amd64/Packages: haproxy is not what the manifest lists"),
        (wheel_version, "wheels/platform.requirements.txt: not what the manifest lists"),
        (unknown_package, "patroni: storage needs it, but it is not in the build"),
        (control_only, "site/binary-amd64/Packages: gnupg is not what the manifest lists"),
        (no_storage, "storage: no such set of packages"),
    ],
)
def test_indices_and_manifest_agree(
    build: Path, signed: Home, change: Callable[[dict[str, object]], None], said: str
) -> None:
    resign(build, signed, change)
    assert said in refused(build, signed)


def replaced(build: Path, home: Home, name: str, content: bytes) -> None:
    """Another content for an index, which the manifest lists correctly."""
    import hashlib

    (build / name).chmod(0o644)
    (build / name).write_bytes(content)
    manifest = Manifest.read(build)
    entry = Index(file=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    indices = [entry if index.file == name else index for index in manifest.indices]
    write(build, home, manifest.model_copy(update={"indices": indices}))


def test_apts_own_signature_must_hold(build: Path, signed: Home, tmp_path: Path) -> None:
    other = Keyring(Home(tmp_path / "other"), "release")
    other.ensure()
    release = (build / "apt/dists/2026.1/Release").read_bytes()
    replaced(build, signed, "apt/dists/2026.1/InRelease", other.clearsign(release))
    assert "apt/dists/2026.1/InRelease: signed by another key" in refused(build, signed)


def test_apts_inline_text_must_be_the_release(build: Path, signed: Home) -> None:
    other = Keyring(signed, "release").clearsign(b"Origin: elsewhere\n")
    replaced(build, signed, "apt/dists/2026.1/InRelease", other)
    assert "InRelease: another text than" in refused(build, signed)


def test_a_key_that_is_not_ours_inside_is_refused(build: Path, signed: Home, tmp_path: Path) -> None:
    other = Keyring(Home(tmp_path / "other"), "release")
    other.ensure()
    replaced(build, signed, "keys/release.gpg", other.public_key())
    message = refused(build, signed)
    assert "SHA256SUMS: not what the manifest lists" in message


# Serials and finding a build.


def test_an_older_serial_only_goes_as_a_rollback(signed: Home) -> None:
    manifest = Manifest.read(find_build(signed, "2026.1"))
    check_serial(manifest, 0)
    check_serial(manifest, 1)
    with pytest.raises(VerificationError, match="serial 1 is older than serial 2"):
        check_serial(manifest, 2)
    check_serial(manifest, 2, rollback=True)


def test_the_newest_build_is_found_by_number(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for serial in (2, 10):
        content = Content(minicomputer={"base-made-up": "1.0", "haproxy": f"{serial}"})
        synthetic.build(home, content, serial)
    assert find_build(home, "2026.1").name == "2026.1-10"
    assert find_build(home, "2026.1-2").name == "2026.1-2"
    with pytest.raises(ConfigurationError, match=r"2026\.1-3: no such build") as error:
        find_build(home, "2026.1-3")
    assert "2026.1-2, 2026.1-10" in error.value.hint
    for name in ("latest", "../2026.1", "2026.1-x", "", "2026.1-٣"):
        with pytest.raises(ConfigurationError, match="not a release"):
            find_build(home, name)


def test_without_a_key_nothing_verifies(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="knows no release key"):
        public_key(Home(tmp_path))


def test_the_summary_says_versions_and_sizes(signed: Home) -> None:
    found = summary(Manifest.read(find_build(signed, "2026.1")))
    assert found["build"] == "2026.1-1"
    assert found["packages"] == {"haproxy": "2.6.1-1"}
    assert [system["dist"] for system in found["systems"]] == ["jincai", "jincai-budget"]
    assert found["tools"] == {"rollout": "0.1.0"}
    assert found["bytes"]["total"] > found["bytes"]["packages"] > 0
