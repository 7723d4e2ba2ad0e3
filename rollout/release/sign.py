"""OpenPGP by the tools every Debian host has: gpg signs on the control node, gpgv verifies everywhere.

Two keys, never exchanged for one another: *release* signs what may be installed, *report* signs what an
audit saw and what an apply left.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from rollout.errors import ConfigurationError, VerificationError
from rollout.files import locked
from rollout.paths import Home
from rollout.release import openpgp

Role = Literal["release", "report"]

# A key is dated a little back: a host whose clock is behind must not find it "from the future", and gpg
# cannot freeze its clock at the second that is now (see ``Keyring.sign_detached``).
_AGE_AT_BIRTH = timedelta(minutes=5)


class Keyring:
    """One OpenPGP key of this control node, in its own folder below ``keys/``."""

    def __init__(self, home: Home, role: Role) -> None:
        self.role = role
        self.folder = home.keys / role
        self.public_path = home.keys / f"{role}.gpg"

    @property
    def exists(self) -> bool:
        """Whether this control node can sign with the key."""
        return self.folder.is_dir()

    def ensure(self) -> None:
        """Creates the key at first use; a public key that was imported is never replaced."""
        if not self.exists:
            if self.public_path.is_file():
                raise ConfigurationError(
                    f"this control node has only the public {self.role} key ({self.public_path})",
                    f"Only the control node that holds the private {self.role} key can sign.",
                )
            self._create()
        if not self.public_path.is_file():
            partial = self.public_path.with_suffix(".partial")
            partial.write_bytes(_gpg(self.folder, "--export"))
            partial.replace(self.public_path)

    def _create(self) -> None:
        """A whole key or none: made aside, then given its name; of two makers at once one wins."""
        made = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=f".{self.role}-"))
        try:
            uid = f"rollout {self.role} key"
            time = ("--faked-system-time", _stamp(datetime.now(UTC) - _AGE_AT_BIRTH))
            _gpg(made, *time, "--passphrase", "", "--quick-generate-key", uid, "ed25519", "sign", "never")
            with contextlib.suppress(OSError):
                made.rename(self.folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def fingerprint(self) -> str:
        """The key's 40 hexadecimal digits: what is printed on paper and compared by eye."""
        return fingerprint_of(self.public_path)

    def public_key(self) -> bytes:
        """The public key in binary form, as gpgv and apt's signed-by read it."""
        return self.public_path.read_bytes()

    def created(self) -> int:
        """When the key was made, in seconds since 1970."""
        listing = _gpg(self.folder, "--list-keys", "--with-colons").decode()
        return int(next(line for line in listing.splitlines() if line.startswith("pub:")).split(":")[5])

    def sign_detached(self, data: bytes, at: int | None = None) -> bytes:
        """An armored detached signature; ``at`` fixes its time, which makes it the same every time."""
        return self._sign(data, "--detach-sign", at)

    def clearsign(self, data: bytes, at: int | None = None) -> bytes:
        """The text with its signature around it (apt's InRelease)."""
        return self._sign(data, "--clearsign", at)

    def _sign(self, data: bytes, how: str, at: int | None) -> bytes:
        time = ["--faked-system-time", f"{_stamp(datetime.fromtimestamp(at, UTC))}!"] if at else []
        return _gpg(
            self.folder, "--armor", "--no-emit-version", "--digest-algo", "SHA512", *time, how, data=data
        )


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")


def _gpg(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    if shutil.which("gpg") is None:
        raise ConfigurationError("gpg is not on this machine", "Install the package gnupg.")
    with _agent(folder) as home:
        command = ["gpg", "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            [*command, "--homedir", home, *arguments], input=data, capture_output=True, check=False
        )
    if done.returncode != 0:
        raise ConfigurationError(f"{folder}: gpg failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


@contextmanager
def _agent(folder: Path) -> Iterator[str]:
    """A short name for the key's folder (sockets have short paths), and no agent left behind.

    One at a time: the agent belongs to the folder, so whoever is done first would end it under the others'
    hands. Two sites that are rolled out at once sign their records in the same second.
    """
    with locked(folder), tempfile.TemporaryDirectory(prefix="gpg") as short:
        home = Path(short) / "h"
        home.symlink_to(folder)
        try:
            yield str(home)
        finally:
            subprocess.run(
                ["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, check=False
            )


def fingerprint_of(public_key: Path) -> str:
    """The fingerprint of a public key file that holds exactly one key and no subkeys."""
    try:
        return openpgp.fingerprint(public_key.read_bytes())
    except FileNotFoundError:
        raise VerificationError(f"{public_key}: there is no such public key") from None
    except openpgp.MalformedError as error:
        raise VerificationError(f"{public_key}: not a file with exactly one public key: {error}") from error


def verify(data: bytes, signature: bytes, public_key: Path, what: str = "the data") -> None:
    """Raises VerificationError unless ``signature`` is over ``data`` and by the key in ``public_key``."""
    fingerprint_of(public_key)  # before gpgv is given the file: it would trust any key in it
    with tempfile.TemporaryDirectory(prefix="gpgv") as folder:
        signature_file, data_file = Path(folder) / "signature", Path(folder) / "data"
        signature_file.write_bytes(signature)
        data_file.write_bytes(data)
        status = _gpgv(public_key, str(signature_file), str(data_file))
    _judge(status, public_key, what)


def verify_clearsigned(text: bytes, public_key: Path, what: str) -> bytes:
    """The text inside a clear-signed document, once its signature was found good."""
    with tempfile.TemporaryDirectory(prefix="gpgv") as folder:
        file, output = Path(folder) / "signed", Path(folder) / "text"
        file.write_bytes(text)
        fingerprint_of(public_key)
        status = _gpgv(public_key, "--output", str(output), str(file))
        _judge(status, public_key, what)
        return output.read_bytes()


def _gpgv(public_key: Path, *arguments: str) -> str:
    """Status lines of gpgv. A host's wrong clock does not make a valid release invalid."""
    if shutil.which("gpgv") is None:
        raise ConfigurationError("gpgv is not on this machine", "Install the package gpgv.")
    command = ["gpgv", "--status-fd", "1", "--ignore-time-conflict", "--keyring", str(public_key.resolve())]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout if done.returncode == 0 else f"{done.stdout}\n[GNUPG:] EXIT {done.returncode}"


def _judge(status: str, public_key: Path, what: str) -> None:
    wanted = fingerprint_of(public_key)
    words = {
        line.split()[1]: line.split()[2:] for line in status.splitlines() if line.startswith("[GNUPG:] ")
    }
    if "EXIT" not in words and words.get("VALIDSIG", [""])[0] == wanted:
        return
    if "BADSIG" in words:
        raise VerificationError(
            f"{what}: the signature is by the right key, but the data was changed after it was signed",
            "Copy it again from where it was made.",
        )
    if "NO_PUBKEY" in words:
        raise VerificationError(
            f"{what}: signed by another key ({words['NO_PUBKEY'][0]}) than {wanted} in {public_key}",
            "It does not come from that key's owner; do not use it.",
        )
    raise VerificationError(f"{what}: not a valid OpenPGP signature", "Copy it again from where it was made.")
