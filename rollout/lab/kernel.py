"""Limits of this machine's kernel that many booted hosts run into."""

from pathlib import Path

# Each host's systemd takes about a dozen inotify instances; Debian's 128 are used up after some 20 hosts.
_AT_LEAST = {
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524288,
}


def raise_limits() -> None:
    """Raises what is lower than the lab needs; never lowers anything."""
    for name, least in _AT_LEAST.items():
        path = Path("/proc/sys") / name
        if int(path.read_text(encoding="ascii")) < least:
            path.write_text(str(least), encoding="ascii")
