"""One file from which everything starts on a closed network; every tampering with it is refused."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, RolloutError, VerificationError
from rollout.paths import Home
from rollout.release import bundle, synthetic
from rollout.release.ledger import Ledger
from rollout.release.manifest import Manifest
from rollout.release.sign import Keyring
from rollout.release.synthetic import Content
from rollout.release.verify import public_key, verify_build

NEWER = Content(minicomputer={"base-made-up": "1.0", "haproxy": "2.6.2-1"})
# A control node's wheel whose command notes how it was called.
NOTING = (
    b'import os, sys\n__version__ = "0.1.0"\n'
    b'def main() -> None:\n    print(os.environ["ROLLOUT_HOME"], *sys.argv[1:])\n'
)
INSTALLABLE = Content(
    control={"coreutils": "0"},  # on every Debian host, so apt has nothing to do
    tools={"rollout": "0.1.0"},
    files={"rollout": {"rollout/__init__.py": NOTING}},
)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The control node that builds and signs."""
    home = Home(tmp_path_factory.mktemp("vendor"))
    synthetic.build(home)
    synthetic.build(home, NEWER)
    return home


@pytest.fixture
def fingerprint(vendor: Home) -> str:
    return Keyring(vendor, "release").fingerprint()


@pytest.fixture
def file(vendor: Home, tmp_path: Path) -> Path:
    target = tmp_path / "rollout.tar"
    bundle.export(vendor.depot / "2026.1-1", public_key(vendor), target)
    return target


@pytest.fixture
def closed(tmp_path: Path) -> Home:
    """A control node on a closed network that has nothing yet."""
    return Home(tmp_path / "closed")


def empty(home: Home) -> bool:
    """Nothing was taken: no build, no key, no entry in the ledger."""
    return not (
        list(home.depot.iterdir()) or (home.keys / "release.gpg").exists() or Ledger(home).manifests()
    )


def test_round_trip(vendor: Home, closed: Home, file: Path, fingerprint: str) -> None:
    seen: list[tuple[int, int]] = []
    grouped = " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4)).lower()
    done = bundle.import_release(closed, file, grouped, progress=lambda *now: seen.append(now))
    assert done.build == "2026.1-1"
    assert verify_build(closed.depot / "2026.1-1", public_key(closed)) == done
    assert public_key(closed).read_bytes() == public_key(vendor).read_bytes()
    assert os.access(closed.depot / "2026.1-1" / "install.sh", os.X_OK)
    assert seen[-1][0] <= seen[-1][1]
    assert bundle.import_release(closed, file) == done


def test_a_bundle_made_again_elsewhere_is_the_same(
    closed: Home, file: Path, fingerprint: str, tmp_path: Path
) -> None:
    bundle.import_release(closed, file, fingerprint)
    again = tmp_path / "again.tar"
    bundle.export(closed.depot / "2026.1-1", public_key(closed), again)
    assert again.read_bytes() == file.read_bytes()


def test_an_unpacked_folder_goes_as_well(closed: Home, file: Path, fingerprint: str, tmp_path: Path) -> None:
    with tarfile.open(file) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert bundle.import_release(closed, tmp_path / "unpacked" / "2026.1-1", fingerprint).serial == 1


def test_the_first_import_needs_the_fingerprint(closed: Home, file: Path) -> None:
    with pytest.raises(ConfigurationError, match="knows no release key yet"):
        bundle.import_release(closed, file)
    with pytest.raises(VerificationError, match="the bundle's key has the fingerprint"):
        bundle.import_release(closed, file, "0" * 40)
    assert empty(closed)


def test_another_owners_bundle_is_refused(closed: Home, file: Path, fingerprint: str, tmp_path: Path) -> None:
    bundle.import_release(closed, file, fingerprint)
    stranger = Home(tmp_path / "stranger")
    foreign = tmp_path / "foreign.tar"
    bundle.export(synthetic.build(stranger, NEWER).folder, public_key(stranger), foreign)
    with pytest.raises(VerificationError, match="but this control node's release key is"):
        bundle.import_release(closed, foreign)
    with pytest.raises(VerificationError, match="A release key is not replaced"):
        bundle.import_release(closed, foreign, Keyring(stranger, "release").fingerprint())


def test_an_older_serial_is_refused_unless_asked_for(
    vendor: Home, closed: Home, file: Path, fingerprint: str, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.tar"
    bundle.export(vendor.depot / "2026.1-2", public_key(vendor), newer)
    bundle.import_release(closed, newer, fingerprint)
    with pytest.raises(VerificationError, match="serial 1 is older than serial 2"):
        bundle.import_release(closed, file)
    assert [path.name for path in closed.depot.iterdir()] == ["2026.1-2"]
    assert bundle.import_release(closed, file, allow_older=True).serial == 1


def test_a_known_serial_with_other_content_is_refused(
    closed: Home, file: Path, fingerprint: str, tmp_path: Path, vendor: Home
) -> None:
    twin = Home(tmp_path / "twin")
    twin.root.mkdir(exist_ok=True)
    shutil.copytree(vendor.keys, twin.keys, dirs_exist_ok=True)
    other = tmp_path / "other.tar"
    bundle.export(synthetic.build(twin, NEWER).folder, public_key(twin), other)
    bundle.import_release(closed, file, fingerprint)
    with pytest.raises(VerificationError, match=r"haproxy: 2\.6\.1-1 → 2\.6\.2-1"):
        bundle.import_release(closed, other)


# Tampering: each function changes the list of (name, content) in the file.

Members = list[tuple[str, bytes]]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def changed(wanted: str) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        found = [(name, flipped(content) if name.endswith(wanted) else content) for name, content in members]
        assert found != members
        return found

    return change


def changed_outside(members: Members) -> Members:
    return [(members[0][0], b"#!/bin/sh\nreboot\n"), *members[1:]]


def without(wanted: str) -> Callable[[Members], Members]:
    return lambda members: [member for member in members if not member[0].endswith(wanted)]


def adding(name: str) -> Callable[[Members], Members]:
    return lambda members: [*members, (name, b"x")]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (changed("manifest.json"), "changed after it was signed"),
        (changed("manifest.json.asc"), "manifest.json"),
        (changed("haproxy_2.6.1-1_all.deb"), "haproxy"),
        (changed("fastapi-0.1-py3-none-any.whl"), "fastapi"),
        (changed("SHA256SUMS"), "SHA256SUMS"),
        (changed("2026.1-1/install.sh"), "install.sh"),
        (changed_outside, "install.sh: not the one that was signed"),
        (lambda members: members[1:], "it begins with manifest.json"),
        (changed("Packages.gz"), "Packages.gz"),
        (without("haproxy_2.6.1-1_all.deb"), "haproxy_2.6.1-1_all.deb: missing"),
        (without("manifest.json"), "not a release bundle"),
        (without("release.gpg"), "not a release bundle"),
        (adding("2026.1-1/apt/pool/evil.deb"), "apt/pool/evil.deb: not listed"),
        (adding("2026.1-1/../../evil"), "../../evil: not listed"),
        (adding("/etc/evil"), "etc/evil: not listed"),
        (adding("2026.1-1/manifest.json"), "manifest.json: not listed"),
        (lambda members: [*members, members[-1]], "contained twice"),
        (lambda members: list(reversed(members)), "not a release bundle"),
        (lambda _members: [], "not a release bundle"),
    ],
)
def test_tampering_is_refused_and_nothing_is_taken(
    closed: Home, file: Path, fingerprint: str, tamper: Callable[[Members], Members], said: str
) -> None:
    with tarfile.open(file) as tar:
        members = [(m.name, tar.extractfile(m).read()) for m in tar]  # type: ignore[union-attr]
    with tarfile.open(file, "w") as tar:
        for name, content in tamper(members):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(VerificationError) as error:
        bundle.import_release(closed, file, fingerprint)
    assert said in error.value.message
    assert empty(closed)
    assert not (file.parent / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_plain_files_are_taken(closed: Home, file: Path, fingerprint: str, kind: bytes) -> None:
    with tarfile.open(file, "a") as tar:
        entry = tarfile.TarInfo("2026.1-1/apt/pool/link")
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(VerificationError, match="not a plain file"):
        bundle.import_release(closed, file, fingerprint)
    assert empty(closed)


@pytest.mark.parametrize("size", [0, 1, 5000, 20_000])
def test_a_file_that_was_cut_off_is_refused(closed: Home, file: Path, fingerprint: str, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(RolloutError):
        bundle.import_release(closed, file, fingerprint)
    assert empty(closed)


def test_what_is_no_bundle_is_refused(closed: Home, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello" * 1000)
    with pytest.raises(VerificationError, match="not a whole release bundle"):
        bundle.import_release(closed, tmp_path / "text", "0" * 40)
    with pytest.raises(ConfigurationError, match="no such file"):
        bundle.import_release(closed, tmp_path / "nowhere", "0" * 40)


def test_a_damaged_build_is_not_exported(vendor: Home, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(vendor.depot / "2026.1-1", tmp_path / "2026.1-1"))
    (damaged / "wheels" / "more.whl").write_bytes(b"x")
    with pytest.raises(VerificationError, match=r"wheels/more\.whl: not listed"):
        bundle.export(damaged, public_key(vendor), tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


# The installer: what a bare host runs, here with its verification and with a wheel that notes its call.


@pytest.fixture
def unpacked(tmp_path: Path) -> tuple[Path, str]:
    home = Home(tmp_path / "maker")
    folder = synthetic.build(home, INSTALLABLE).folder
    file = tmp_path / "bundle.tar"
    bundle.export(folder, public_key(home), file)
    subprocess.run(["tar", "xf", str(file)], cwd=tmp_path, check=True)
    return tmp_path / "2026.1-1", Keyring(home, "release").fingerprint()


def install(folder: Path, *arguments: str, outside: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs the installer; whatever happens, it has no apt that could change this machine."""
    shims = folder.parent / "shims"
    shims.mkdir(exist_ok=True)
    (shims / "apt-get").write_text("#!/bin/sh\necho apt-get was called >&2\nexit 1\n")
    (shims / "apt-get").chmod(0o755)
    places = ["--prefix", str(folder.parent / "opt"), "--commands", str(folder.parent / "bin")]
    return subprocess.run(
        [
            str((folder.parent if outside else folder) / "install.sh"),
            *places,
            "--home",
            str(folder.parent / "state"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{shims}:{os.environ['PATH']}"},
    )


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "SHA256SUMS", "SHA256SUMS.asc", "install.sh", "apt/pool/haproxy_2.6.1-1_all.deb"],
)
def test_the_installer_refuses_a_changed_file(unpacked: tuple[Path, str], name: str) -> None:
    folder, fingerprint = unpacked
    (folder / name).write_bytes(flipped((folder / name).read_bytes()))
    done = install(folder, "--fingerprint", fingerprint)
    assert done.returncode == 2
    assert name.removesuffix(".asc") in done.stderr
    assert not (folder.parent / "opt").exists()


def test_the_installer_refuses_what_was_added(unpacked: tuple[Path, str]) -> None:
    folder, fingerprint = unpacked
    (folder / "wheels" / "rollout-9-py3-none-any.whl").write_bytes(b"x")
    done = install(folder, "--fingerprint", fingerprint)
    assert done.returncode == 2
    assert "not part of what was signed: wheels/rollout-9-py3-none-any.whl" in done.stderr


def test_the_installer_outside_is_the_one_inside(unpacked: tuple[Path, str]) -> None:
    folder, fingerprint = unpacked
    assert "from paper" in install(folder, outside=True).stderr
    with (folder.parent / "install.sh").open("a") as stream:
        stream.write("# more\n")
    assert "I am not the install.sh" in install(folder, "--fingerprint", fingerprint, outside=True).stderr
    shutil.copytree(folder, folder.with_name("2026.1-2"))
    assert "not exactly one build" in install(folder, outside=True).stderr


def test_the_installer_refuses_another_key(unpacked: tuple[Path, str]) -> None:
    folder, _fingerprint = unpacked
    assert "from paper" in install(folder).stderr
    assert "do not use this bundle" in install(folder, "--fingerprint", "0" * 40).stderr
    assert install(folder, "--nonsense").returncode == 2
    assert not (folder.parent / "opt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the installer installs as root only")
def test_the_installer_installs_offline_and_again(unpacked: tuple[Path, str], pip_wheel: Path) -> None:
    """With a real pip: the made-up one is replaced, and the build signed again around it."""
    folder, fingerprint = unpacked
    with_pip(folder, pip_wheel)
    for outside in (False, True):
        done = install(folder, "--fingerprint", fingerprint, "--allow-older", outside=outside)
        assert done.returncode == 0, done.stderr
        arguments = f"release import {folder} --fingerprint {fingerprint} --allow-older"
        assert done.stdout.splitlines()[0] == f"{folder.parent / 'state'} {arguments}"
    command = folder.parent / "bin" / "rollout"
    assert command.resolve() == folder.parent / "opt" / "2026.1-1" / "bin" / "rollout"


@pytest.fixture
def pip_wheel(tmp_path: Path) -> Path:
    """The wheel that ``ensurepip`` carries."""
    import ensurepip

    found = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    if not found:
        pytest.skip("this Python carries no pip wheel (ensurepip)")
    return Path(shutil.copy(found[0], tmp_path))


def with_pip(folder: Path, wheel: Path) -> None:
    import hashlib

    home = Home(folder.parent / "maker")
    old = folder / "wheels" / "pip-26.3-py3-none-any.whl"
    manifest = Manifest.read(folder)
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    before = next(entry.sha256 for entry in manifest.wheels if entry.name == "pip")
    old.write_bytes(content)
    for name in ("SHA256SUMS", "manifest.json"):
        text = (folder / name).read_text().replace(before, digest)
        (folder / name).write_text(text)
        signature = Keyring(home, "release").sign_detached(text.encode())
        (folder / f"{name}.asc").write_bytes(signature)
