"""The home's backup: one file, encrypted with a passphrase by gpg. Builds, caches and the lab stay out."""

import os
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from rollout.apply.journal import Journal
from rollout.errors import ConfigurationError, HeldError, VerificationError
from rollout.paths import Home

# Builds come again from where they were signed; `node` must name one control node only.
_LEFT_OUT = {"depot", "cache", "lab", "runs", "node", "rollout-ssh"}
_JOURNAL = "journal.db"
_GPG = ("gpg", "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback")
_STRENGTH = ("--cipher-algo", "AES256", "--s2k-digest-algo", "SHA512", "--s2k-count", "65011712")


def export(home: Home, file: Path, passphrase: str) -> int:
    """Writes the backup whole or not at all; how many files it holds."""
    if file.resolve().is_relative_to(home.root):
        raise ConfigurationError(f"{file}: inside the home that it is to back up", "Write it somewhere else.")
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as output, _gpg([*_STRENGTH, "--symmetric"], passphrase) as command:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, pass_fds=[_fd(command)]
            )
            count = _pack(home, process)
            _end(process, file)
            output.flush()
            os.fsync(output.fileno())
        partial.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def restore(home: Home, file: Path, passphrase: str, *, force: bool = False) -> list[str]:
    """Brings a backup into ``home``; returns the names that came. What they replace is kept aside.

    Raises:
        ConfigurationError: there is state already and ``force`` was not given, or the file is no backup.
        VerificationError: the passphrase is wrong or the file is damaged; the home is as it was.
        HeldError: an apply is running.
    """
    if not file.is_file():
        raise ConfigurationError(f"{file}: no such file")
    home.root.mkdir(parents=True, exist_ok=True)
    there = sorted(path.name for path in home.root.iterdir() if _belongs(path) and not _empty(path))
    if there and not force:
        raise ConfigurationError(
            f"{home.root} holds state already: {', '.join(there)}",
            "Import into an empty ROLLOUT_HOME, or replace what is there with --force (it is kept aside).",
        )
    _refuse_running(home)
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".import-") as folder:
        _unpack(file, passphrase, Path(folder))
        return _put_in_place(home, Path(folder))


def _pack(home: Home, process: "subprocess.Popen[bytes]") -> int:
    count = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(fileobj=_pipe(process.stdin), mode="w|") as tar,
    ):
        for path in _files(home.root):
            source = path
            if path.name == _JOURNAL:
                source = Path(folder) / _JOURNAL
                _copy_database(path, source)
            tar.add(source, path.relative_to(home.root).as_posix(), recursive=False)
            count += path.is_file()
    return count


def _files(root: Path) -> Iterator[Path]:
    for top in sorted(root.iterdir()):
        if _belongs(top):
            yield top
            if top.is_dir() and not top.is_symlink():
                below = [p for p in sorted(top.rglob("*")) if p.is_dir() or p.is_file() or p.is_symlink()]
                yield from (path for path in below if path.name != ".lock" and not path.is_socket())


def _belongs(path: Path) -> bool:
    left_out = path.name in _LEFT_OUT or path.name.startswith((".", "replaced-"))
    return not left_out and path.suffix != ".lock" and not path.name.endswith(("-wal", "-shm"))


def _empty(path: Path) -> bool:
    return path.is_dir() and not any(child.is_file() for child in path.rglob("*"))


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy, whatever another process writes meanwhile."""
    one, other = sqlite3.connect(source), sqlite3.connect(target)
    try:
        one.backup(other)
    finally:
        one.close()
        other.close()


def _unpack(file: Path, passphrase: str, folder: Path) -> None:
    with _gpg(["--decrypt"], passphrase) as command, file.open("rb") as stream:
        process = subprocess.Popen(
            command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[_fd(command)]
        )
        try:
            with tarfile.open(fileobj=_pipe(process.stdout), mode="r|") as tar:
                for member in tar:
                    tar.extract(member, folder, filter=_safe)
        except tarfile.TarError:
            process.kill()
            process.communicate()
            raise VerificationError(
                f"{file}: cannot be read with this passphrase, or is damaged", "The home is as it was."
            ) from None
        _end(process, file)


def _safe(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Nothing outside the folder, no devices; but modes as they were, which `data` drops for folders."""
    safe = tarfile.data_filter(member, folder)
    return safe.replace(mode=member.mode & 0o777) if safe else None


def _put_in_place(home: Home, folder: Path) -> list[str]:
    aside = home.root / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        target = home.root / name
        beside = [target, *(home.root / f"{name}{end}" for end in ("-wal", "-shm"))]
        for old in beside:
            if old.exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                old.rename(aside / old.name)
        shutil.move(folder / name, target)
    return names


def _refuse_running(home: Home) -> None:
    if not home.journal.is_file():
        return
    with Journal(home.journal) as journal:
        running = [run for run in journal.runs() if run.running]
    if running:
        raise HeldError(f"{home.root}: run {running[0].id} is going on", "Wait until it is done.")


@contextmanager
def _gpg(arguments: list[str], passphrase: str) -> Iterator[list[str]]:
    """The command line, with the passphrase behind a file descriptor: never in an argument or a file."""
    if not passphrase:
        raise ConfigurationError("the passphrase is empty")
    if shutil.which("gpg") is None:
        raise ConfigurationError("gpg is not on this machine", "Install the package gnupg.")
    reading, writing = os.pipe()
    try:
        os.write(writing, passphrase.encode() + b"\n")
        os.close(writing)
        with tempfile.TemporaryDirectory(prefix="gpg") as home:
            yield [*_GPG, "--homedir", home, "--passphrase-fd", str(reading), *arguments]
            kill = ["gpgconf", "--homedir", home, "--kill", "all"]
            subprocess.run(kill, capture_output=True, check=False)
    finally:
        os.close(reading)


def _fd(command: list[str]) -> int:
    return int(command[command.index("--passphrase-fd") + 1])


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("started without a pipe")
    return stream


def _end(process: "subprocess.Popen[bytes]", file: Path) -> None:
    said = process.communicate()[1].decode(errors="replace").strip()
    if process.returncode:
        raise VerificationError(
            f"{file}: gpg failed: {said}", "The passphrase is wrong, or the file is damaged."
        )
