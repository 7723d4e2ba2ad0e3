"""A host over the OpenSSH client: host-key checking on, our key only, never a question."""

import contextlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rollout.errors import ApplyError, ConfigurationError, UnreachableError
from rollout.inventory import Host
from rollout.paths import Home

_CONNECT_SECONDS = 5
# A connection over which nothing comes for 3 × 5 s is dead.
_ALIVE = ("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3")
_SSH_FAILED = 255
_SAID_BYTES = 2000


class Process:
    """A running ssh with both its streams; see ``rollout.depot.remote.Channel``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def stdin(self) -> IO[bytes]:
        """What the remote program reads."""
        if self._process.stdin is None:
            raise ValueError("started without a pipe")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """What the remote program writes."""
        if self._process.stdout is None:
            raise ValueError("started without a pipe")
        return self._process.stdout


class SshHost:
    """One host of the inventory, reached as its user (``rollout``), who may use sudo without a password."""

    def __init__(self, host: Host, home: Home) -> None:
        self.host = host
        self._home = home

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return self.host.name

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002 - as subprocess names it
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        """Standard output of ``argv`` on the host.

        Raises UnreachableError when there is no connection or no answer within ``timeout`` seconds, and
        ApplyError with the end of its standard error when the program fails. (A program that itself exits
        with 255 counts as no connection: ssh does not tell the two apart.)
        """
        command = [*self.command(), _quoted(argv, sudo)]
        try:
            done = subprocess.run(command, input=input, capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(f"{self.name}: no answer within {timeout:g} s to {argv[0]}") from error
        self._judge(done.returncode, done.stderr, argv)
        return done.stdout

    @contextmanager
    def stream(self, argv: Sequence[str], sudo: bool = False) -> Iterator[Process]:
        """Starts ``argv`` on the host; leaving the block closes its input, waits and judges its end."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*self.command(), _quoted(argv, sudo)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
            )
            channel = Process(process)
            try:
                with contextlib.suppress(BrokenPipeError, EOFError):
                    yield channel
                with contextlib.suppress(BrokenPipeError):
                    channel.stdin.close()
                channel.stdout.read()
                process.wait()
            finally:
                _end(process)
            said.seek(0)
            self._judge(process.returncode, said.read(), argv)

    def command(self) -> list[str]:
        """The ssh command line up to the host; what is to run there follows as one word."""
        if shutil.which("ssh") is None:
            raise ConfigurationError("ssh is not on this machine", "Install the package openssh-client.")
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self._home.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "ConnectTimeout": str(_CONNECT_SECONDS),
            "LogLevel": "ERROR",
        }
        words = [word for option, value in options.items() for word in ("-o", f"{option}={value}")]
        return [
            *("ssh", "-T", "-i", str(self._home.ssh_key), *words, *_ALIVE),
            f"{self.host.user}@{self.host.address}",
            "--",
        ]

    def _judge(self, code: int, stderr: bytes, argv: Sequence[str]) -> None:
        if code == 0:
            return
        said = stderr[-_SAID_BYTES:].decode(errors="replace").strip()
        if code == _SSH_FAILED:
            hint = (
                "Its host key is not the known one; if the machine was replaced, update known_hosts."
                if "host key" in said.lower()
                else "Is it running, and does it accept this control node's SSH key?"
            )
            raise UnreachableError(f"{self.name} ({self.host.address}): {said or 'no connection'}", hint)
        raise ApplyError(f"{self.name}: {argv[0]} ended with {code}:\n{said}")


def _quoted(argv: Sequence[str], sudo: bool) -> str:
    return shlex.join([*(("sudo", "-n", "--") if sudo else ()), *argv])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever happened, no ssh of ours stays."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
