"""Two keys that never stand in for one another, and refusals that say what is wrong."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release.sign import Keyring, fingerprint_of, verify, verify_clearsigned

DATA = b"uniform\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    Keyring(home, "release").ensure()
    Keyring(home, "report").ensure()
    return home


def test_what_was_signed_verifies(home: Home) -> None:
    for role in ("release", "report"):
        keyring = Keyring(home, role)
        verify(DATA, keyring.sign_detached(DATA), keyring.public_path)
        text = verify_clearsigned(keyring.clearsign(DATA), keyring.public_path, "text")
        assert text == DATA


def test_the_keys_differ_and_stay(home: Home) -> None:
    release, report = Keyring(home, "release"), Keyring(home, "report")
    assert release.fingerprint() != report.fingerprint()
    before = release.public_key()
    release.ensure()
    assert release.public_key() == before
    assert release.folder.stat().st_mode & 0o777 == 0o700
    assert len(release.fingerprint()) == 40


def test_changed_data_is_called_changed(home: Home) -> None:
    keyring = Keyring(home, "release")
    with pytest.raises(VerificationError, match=r"the report.*changed after it was signed"):
        verify(b"Uniform\n", keyring.sign_detached(DATA), keyring.public_path, "the report")


def test_another_key_is_called_another_key(home: Home) -> None:
    signature = Keyring(home, "report").sign_detached(DATA)
    with pytest.raises(VerificationError, match="signed by another key"):
        verify(DATA, signature, Keyring(home, "release").public_path, "the manifest")


@pytest.mark.parametrize(
    "signature", [b"", b"nonsense", b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END\n"]
)
def test_what_is_no_signature_is_refused(home: Home, signature: bytes) -> None:
    with pytest.raises(VerificationError, match="not a valid OpenPGP signature"):
        verify(DATA, signature, Keyring(home, "release").public_path, "the manifest")


def test_a_good_signature_beside_a_bad_one_is_refused(home: Home) -> None:
    release, report = Keyring(home, "release"), Keyring(home, "report")
    both = release.sign_detached(DATA) + report.sign_detached(DATA)
    with pytest.raises(VerificationError):
        verify(b"other\n", both, release.public_path)


def test_a_missing_or_broken_key_is_named(home: Home, tmp_path: Path) -> None:
    signature = Keyring(home, "release").sign_detached(DATA)
    with pytest.raises(VerificationError, match=r"nowhere\.gpg"):
        verify(DATA, signature, tmp_path / "nowhere.gpg")
    broken = tmp_path / "broken.gpg"
    broken.write_bytes(b"not a key")
    with pytest.raises(VerificationError):
        verify(DATA, signature, broken)
    with pytest.raises(VerificationError, match=r"broken\.gpg"):
        fingerprint_of(broken)


def as_subkey(public_key: bytes) -> bytes:
    """The key's first packet, as a subkey of whatever it is appended to."""
    size = 2 + public_key[1]
    return bytes([0x80 | 14 << 2]) + public_key[1:size]


def test_a_subkey_slipped_into_the_key_file_signs_nothing(home: Home, tmp_path: Path) -> None:
    """A bundle could bring such a file along: its first key has the fingerprint that is on the paper."""
    owner, stranger = Keyring(home, "release"), Keyring(home, "report")
    crafted = tmp_path / "release.gpg"
    crafted.write_bytes(owner.public_key() + as_subkey(stranger.public_key()))
    with pytest.raises(VerificationError, match="exactly one public key"):
        verify(DATA, stranger.sign_detached(DATA), crafted)
    with pytest.raises(VerificationError, match="exactly one public key"):
        fingerprint_of(crafted)


def test_two_keys_in_one_file_are_refused(home: Home, tmp_path: Path) -> None:
    both = tmp_path / "both.gpg"
    stranger = Keyring(home, "report")
    both.write_bytes(Keyring(home, "release").public_key() + stranger.public_key())
    signature = tmp_path / "signature"
    signature.write_bytes(stranger.sign_detached(DATA))
    (tmp_path / "data").write_bytes(DATA)
    command = ["gpgv", "--keyring", str(both), str(signature), str(tmp_path / "data")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0  # hence the look inside
    with pytest.raises(VerificationError, match="exactly one public key"):
        verify(DATA, signature.read_bytes(), both)


def test_the_fingerprint_is_gpgs(home: Home) -> None:
    keyring = Keyring(home, "release")
    command = ["gpg", "--homedir", str(keyring.folder), "--with-colons", "--fingerprint"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f":{keyring.fingerprint()}:" in listing


@pytest.mark.parametrize("cut", [0, 1, 2, 10, 60, -1])
def test_a_key_that_was_cut_off_is_refused(home: Home, tmp_path: Path, cut: int) -> None:
    file = tmp_path / "cut.gpg"
    file.write_bytes(Keyring(home, "release").public_key()[:cut])
    with pytest.raises(VerificationError, match=r"cut\.gpg"):
        fingerprint_of(file)


def test_a_fixed_time_gives_the_same_signature(home: Home) -> None:
    keyring = Keyring(home, "release")
    at = keyring.created()
    assert keyring.sign_detached(DATA, at) == keyring.sign_detached(DATA, at)


def test_only_a_public_key_cannot_sign(tmp_path: Path, home: Home) -> None:
    other = Home(tmp_path / "other")
    (other.keys / "release.gpg").write_bytes(Keyring(home, "release").public_key())
    with pytest.raises(ConfigurationError, match="only the public release key"):
        Keyring(other, "release").ensure()
    assert not Keyring(other, "release").exists


def test_a_lost_public_file_is_written_again(tmp_path: Path) -> None:
    keyring = Keyring(Home(tmp_path), "report")
    keyring.ensure()
    before = keyring.public_key()
    keyring.public_path.unlink()
    keyring.ensure()
    assert keyring.public_key() == before


def test_no_agent_stays(home: Home) -> None:
    Keyring(home, "release").sign_detached(DATA)
    listing = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True, check=True).stdout
    agents = [line for line in listing.splitlines() if "gpg-agent" in line and not line.startswith("Z")]
    assert not [line for line in agents if str(home.root) in line]


def test_many_sign_at_once(home: Home) -> None:
    """As the sites of one apply do; none may end the agent that another one is using."""
    keyring = Keyring(home, "report")
    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(lambda _: keyring.sign_detached(DATA), range(32)))
    for signature in signatures:
        verify(DATA, signature, keyring.public_path)


def test_a_long_path_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    keyring = Keyring(Home(folder), "report")
    keyring.ensure()
    verify(DATA, keyring.sign_detached(DATA), keyring.public_path)
