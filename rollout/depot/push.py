"""Copies a build to a site's ``s`` over one connection: only what the site needs, only what it lacks."""

import json
import tarfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import IO, Any

from rollout.depot.host_verify import site_files
from rollout.depot.remote import Remote
from rollout.errors import ApplyError
from rollout.release.manifest import NAME, SIGNATURE, Manifest
from rollout.release.store import sha256_file

Progress = Callable[[int, int], None]  # bytes done, bytes in all

# The command line stays short (sudo logs it); the program comes first over standard input.
_LOADER = (
    "import sys; n = int(sys.stdin.buffer.readline()); g = {'__name__': 'receiver'}; "
    "exec(compile(sys.stdin.buffer.read(n), 'receiver', 'exec'), g); sys.exit(g['main']())"
)
_MODE = 0o644


def _silent(_done: int, _total: int) -> None:
    pass


def push(
    folder: Path,
    manifest: Manifest,
    remote: Remote,
    remote_root: str = "/srv/depot",
    progress: Progress = _silent,
) -> None:
    """Brings the build in ``folder`` (verified before) to ``<remote_root>/<build>`` on the host.

    What other builds there have is linked, after it was hashed there. The build appears whole; a push that
    breaks off leaves ``<build>.partial``, from which the next one goes on. Raises UnreachableError when the
    connection fails and ApplyError, naming the file, when the far side refuses.
    """
    wanted = wanted_files(folder, manifest)
    total = sum(entry["size"] for entry in wanted.values())
    answer = b""
    with remote.stream(["python3", "-I", "-B", "-c", _LOADER], sudo=True) as channel:
        program = resources.files("rollout.depot").joinpath("receiver.py").read_bytes()
        request = {"root": remote_root, "build": manifest.build, "files": wanted}
        channel.stdin.write(b"%d\n%s" % (len(program), program))
        channel.stdin.write(json.dumps(request).encode() + b"\n")
        channel.stdin.flush()
        missing = _read(channel.stdout)["missing"]
        done = total - sum(wanted[name]["size"] for name in missing)
        progress(done, total)
        if missing:
            _send(folder, missing, channel.stdin, lambda more: progress(done + more, total))
        channel.stdin.close()
        answer = channel.stdout.readline()
    if not answer:
        raise ApplyError(
            f"{remote.name}: the push ended without an answer", "Repeat it; it goes on from there."
        )


def wanted_files(folder: Path, manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What a site's ``s`` holds of a build, with size and SHA-256; the manifest comes last."""
    wanted = site_files(manifest.model_dump(mode="json"))
    for name in (NAME, SIGNATURE):
        wanted[name] = {"size": (folder / name).stat().st_size, "sha256": sha256_file(folder / name)}
    return wanted


def _send(folder: Path, names: list[str], stdin: IO[bytes], progress: Callable[[int], None]) -> None:
    sent = 0
    with tarfile.open(fileobj=stdin, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = (folder / name).stat().st_size
            entry.mode = _MODE
            with (folder / name).open("rb") as stream:
                tar.addfile(entry, stream)
            sent += entry.size
            progress(sent)


def _read(stdout: IO[bytes]) -> dict[str, Any]:
    line = stdout.readline()
    if not line:
        raise EOFError
    message: dict[str, Any] = json.loads(line)
    return message
