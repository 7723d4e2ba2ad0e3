"""Host keys in known_hosts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rollout.known_hosts import merge, remember

OTHERS = "# kept\nexample.org ssh-ed25519 AAAAother\n|1|hashed= ssh-ed25519 AAAAhashed\n"
NAMES = ["nanning-a", "198.18.1.11"]


def test_a_new_host_is_added_and_other_lines_stay() -> None:
    assert merge(OTHERS, NAMES, "ssh-ed25519 AAAA1") == (OTHERS + "nanning-a,198.18.1.11 ssh-ed25519 AAAA1\n")


def test_a_remade_host_replaces_its_old_key_under_either_name() -> None:
    before = "nanning-a ssh-ed25519 OLD1\n198.18.1.11,x ssh-ed25519 OLD2\nnanning-ab ssh-ed25519 OTHER\n"
    assert merge(before, NAMES, "ssh-ed25519 NEW") == (
        "nanning-ab ssh-ed25519 OTHER\nnanning-a,198.18.1.11 ssh-ed25519 NEW\n"
    )


def test_a_forgotten_host_leaves_nothing() -> None:
    known = merge(OTHERS, NAMES, "ssh-ed25519 AAAA1")
    assert merge(known, NAMES, None) == OTHERS


def test_writers_at_the_same_time_lose_no_line(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: remember(file, [f"h{n}"], f"ssh-ed25519 K{n}"), range(40)))
    assert sorted(file.read_text().splitlines()) == sorted(f"h{n} ssh-ed25519 K{n}" for n in range(40))
