"""Files of one folder, reached through the folder's own descriptor: no path, no symlink leads out of it.

Every write is a new file under another name, flushed, then renamed: it is there whole or not at all.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Self

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o640
# What opening says of a symlink, a socket, a file that may not be read.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.EACCES})


class NotAFileError(Exception):
    """A symlink, a folder, a pipe, or a file that its owner lets nobody read."""


class TooLargeError(Exception):
    """The file is longer than was allowed."""


class Folder:
    """An open folder. ``inside`` names the one below it, made if missing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder at ``path``, which an administrator named and which may be a symlink.

        Raises:
            OSError: there is none.
        """
        return cls(os.open(path.resolve(strict=True), _FOLDER))

    def inside(self, name: str) -> "Folder":
        """The folder ``name`` in this one."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o750, dir_fd=self._fd)
        return Folder(os.open(name, _FOLDER, dir_fd=self._fd))

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def names(self) -> list[str]:
        """What is in it, in order; a name that is no UTF-8 holds surrogates."""
        return sorted(os.listdir(self._fd))  # noqa: PTH208 - no path may be followed

    def age(self, name: str, now: float) -> float:
        """Seconds since ``name`` was last written; of a symlink, the link itself."""
        return now - os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mtime

    def has(self, name: str) -> bool:
        """Whether there is a regular file ``name``."""
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return False

    def is_folder(self, name: str) -> bool:
        """Whether ``name`` is a folder itself, not a link to one."""
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=self._fd, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return False

    def read(self, name: str, most: int) -> bytes:
        """The whole of the regular file ``name``.

        Raises:
            NotAFileError: it is something else.
            TooLargeError: it is longer than ``most``.
        """
        try:
            fd = os.open(name, _READ, dir_fd=self._fd)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise NotAFileError(name) from error
            raise
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise NotAFileError(name)
            data = file.read(most + 1)
        if len(data) > most:
            raise TooLargeError(name)
        return data

    def write(self, name: str, data: bytes) -> None:
        """Make or replace the file ``name``."""
        begun = f".{name}.begun"
        self.remove(begun)
        with os.fdopen(os.open(begun, _WRITE, _MODE, dir_fd=self._fd), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(begun, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        os.fsync(self._fd)

    def move(self, name: str, to: "Folder", new_name: str) -> None:
        """Put ``name`` into the folder ``to``."""
        os.rename(name, new_name, src_dir_fd=self._fd, dst_dir_fd=to._fd)
        os.fsync(to._fd)
        os.fsync(self._fd)

    def remove(self, name: str) -> None:
        """Take away ``name``, itself if it is a symlink; nothing if it is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)
            os.fsync(self._fd)
