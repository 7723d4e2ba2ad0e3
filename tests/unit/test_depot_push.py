"""A push brings what the site needs and lacks, appears whole, goes on after a break, and believes no name."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from rollout.depot import receiver
from rollout.depot.push import push, wanted_files
from rollout.errors import ApplyError
from rollout.paths import Home
from rollout.release import synthetic
from rollout.release.build import Built
from rollout.release.synthetic import Content


class Channel:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout


class Here:
    """The far side on this machine: the same program, the same streams, no ssh."""

    name = "nanning-s"

    def __init__(self, break_after: int | None = None) -> None:
        self.break_after = break_after

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002 - as subprocess names it
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        raise NotImplementedError

    @contextmanager
    def stream(self, argv: Sequence[str], sudo: bool = False) -> Iterator[Channel]:
        assert sudo
        assert argv[0] == "python3"
        process = subprocess.Popen(
            [sys.executable, *argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        channel = Channel(process)
        if self.break_after is not None:
            channel.stdin = Breaking(channel.stdin, self.break_after)
        try:
            with contextlib.suppress(BrokenPipeError, EOFError):
                yield channel
        finally:
            with contextlib.suppress(BrokenPipeError):
                channel.stdin.close()
            process.wait()
        said = process.stderr.read().decode() if process.stderr else ""
        if process.returncode:
            raise ApplyError(f"{self.name}: {said}")


class Breaking(io.RawIOBase, IO[bytes]):
    """A connection that ends after so many bytes."""

    def __init__(self, inner: IO[bytes], left: int) -> None:
        self.inner, self.left = inner, left

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.left -= len(data)
        if self.left < 0:
            self.inner.close()
            raise BrokenPipeError
        return self.inner.write(data)

    def flush(self) -> None:
        if not self.inner.closed:
            self.inner.flush()

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return synthetic.build(Home(tmp_path / "home"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "depot"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_site_gets_what_it_needs_and_no_more(built: Built, root: Path) -> None:
    seen: list[tuple[int, int]] = []
    push(built.folder, built.manifest, Here(), str(root), lambda *now: seen.append(now))
    there = names(root / "2026.1-1")
    assert there == set(wanted_files(built.folder, built.manifest))
    assert {"manifest.json", "manifest.json.asc", "apt/dists/2026.1/InRelease"} <= there
    assert {"apt/pool/haproxy_2.6.1-1_all.deb", "apt/pool/nginx-light_1.22-9_all.deb"} <= there
    assert {"apt/pool/firmware-x_7_all.deb", "wheels/pip-26.3-py3-none-any.whl"} <= there
    assert "wheels/rollout-0.1.0-py3-none-any.whl" not in there
    assert "apt/pool/gnupg_2.2_all.deb" not in there
    assert all(
        (root / "2026.1-1" / name).read_bytes() == (built.folder / name).read_bytes() for name in there
    )
    assert seen[-1][0] == seen[-1][1]
    assert {path.name for path in root.iterdir()} == {"2026.1-1", ".lock"}


def test_a_second_push_sends_nothing(built: Built, root: Path) -> None:
    push(built.folder, built.manifest, Here(), str(root))
    inode = (root / "2026.1-1").stat().st_ino
    seen: list[tuple[int, int]] = []
    push(built.folder, built.manifest, Here(), str(root), lambda *now: seen.append(now))
    assert len(seen) == 1
    assert seen[0][0] == seen[0][1]
    assert (root / "2026.1-1").stat().st_ino == inode


def test_what_another_build_has_is_linked(built: Built, root: Path, tmp_path: Path) -> None:
    push(built.folder, built.manifest, Here(), str(root))
    newer = Content(minicomputer={"base-made-up": "1.0", "haproxy": "2.6.2-1"})
    second = synthetic.build(Home(tmp_path / "home"), newer)
    push(second.folder, second.manifest, Here(), str(root))
    same = "apt/pool/nginx-light_1.22-9_all.deb"
    assert (root / "2026.1-1" / same).samefile(root / "2026.1-2" / same)
    assert (root / "2026.1-2" / "apt/pool/haproxy_2.6.2-1_all.deb").is_file()


def test_a_damaged_file_of_another_build_is_not_linked(built: Built, root: Path, tmp_path: Path) -> None:
    push(built.folder, built.manifest, Here(), str(root))
    same = "apt/pool/nginx-light_1.22-9_all.deb"
    damaged = root / "2026.1-1" / same
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + b"x")
    newer = Content(minicomputer={"base-made-up": "1.0", "haproxy": "2.6.2-1"})
    second = synthetic.build(Home(tmp_path / "home"), newer)
    push(second.folder, second.manifest, Here(), str(root))
    assert (root / "2026.1-2" / same).read_bytes() == content


@pytest.mark.parametrize("damage", ["changed", "missing", "more", "link"])
def test_a_damaged_build_is_made_whole(built: Built, root: Path, damage: str) -> None:
    push(built.folder, built.manifest, Here(), str(root))
    file = root / "2026.1-1" / "wheels" / "fastapi-0.1-py3-none-any.whl"
    if damage == "changed":
        file.write_bytes(b"x" * file.stat().st_size)
    elif damage == "more":
        (root / "2026.1-1" / "more").write_bytes(b"x")
    else:
        file.unlink()
        if damage == "link":
            file.symlink_to(built.folder / "wheels" / file.name)
    push(built.folder, built.manifest, Here(), str(root))
    assert names(root / "2026.1-1") == set(wanted_files(built.folder, built.manifest))
    assert not file.is_symlink()
    assert file.read_bytes() == (built.folder / "wheels" / file.name).read_bytes()
    assert {path.name for path in root.iterdir()} == {"2026.1-1", ".lock"}


def test_a_push_that_breaks_goes_on(built: Built, root: Path) -> None:
    program = Path(receiver.__file__).stat().st_size
    breaks = 0
    for extra in range(1000, 60_000, 4000):
        try:
            push(built.folder, built.manifest, Here(break_after=program + extra), str(root))
        except ApplyError:
            breaks += 1
            assert not (root / "2026.1-1").exists()
            left = {path.name for path in root.iterdir()} if root.exists() else set()
            assert left <= {"2026.1-1.partial", ".lock"}
    assert breaks > 1
    sent: list[tuple[int, int]] = []
    push(built.folder, built.manifest, Here(), str(root), lambda *now: sent.append(now))
    assert names(root / "2026.1-1") == set(wanted_files(built.folder, built.manifest))


def test_a_file_that_changed_here_is_refused_there_by_name(built: Built, root: Path) -> None:
    file = built.folder / "wheels" / "fastapi-0.1-py3-none-any.whl"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(ApplyError, match=r"fastapi-0\.1-py3-none-any\.whl: sha256 is"):
        push(built.folder, built.manifest, Here(), str(root))
    assert not (root / "2026.1-1").exists()


def test_two_pushes_at_once_are_refused(built: Built, root: Path) -> None:
    root.mkdir(parents=True)
    with receiver.locked(root), pytest.raises(ApplyError, match="another push is running"):
        push(built.folder, built.manifest, Here(), str(root))


# The far side alone: it believes nothing of what it is told.


def ask(root: Path, files: dict[str, dict[str, object]], tar: bytes = b"", build: str = "2026.1-1") -> bytes:
    request = json.dumps({"root": str(root), "build": build, "files": files}).encode() + b"\n"
    answer = io.BytesIO()
    receiver.receive(io.BytesIO(request + tar), answer)
    return answer.getvalue()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a//b", ".", ""])
def test_names_stay_below_the_build(root: Path, name: str) -> None:
    entry: dict[str, object] = {"size": 0, "sha256": "0" * 64}
    with pytest.raises(receiver.Refused, match="leaves the build's folder"):
        ask(root, {name: entry})
    with pytest.raises(receiver.Refused):
        ask(root, {}, build=name)
    assert not root.exists()


@pytest.mark.parametrize(
    ("member", "kind"), [("other", tarfile.REGTYPE), ("file", tarfile.SYMTYPE), ("../x", tarfile.REGTYPE)]
)
def test_only_what_was_announced_is_taken(root: Path, member: str, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(member)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    wanted: dict[str, dict[str, object]] = {"file": {"size": 0, "sha256": "0" * 64}}
    with pytest.raises(receiver.Refused, match="not what was announced"):
        ask(root, wanted, buffer.getvalue())
    assert not (root / "2026.1-1").exists()


def test_what_did_not_come_is_named(root: Path) -> None:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    with pytest.raises(receiver.Refused, match="file: did not come"):
        ask(root, {"file": {"size": 1, "sha256": "0" * 64}}, buffer.getvalue())


def test_the_receiver_stands_alone() -> None:
    """It is sent as text: standard library only."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", Path(receiver.__file__).read_text(encoding="utf-8")],
        capture_output=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
