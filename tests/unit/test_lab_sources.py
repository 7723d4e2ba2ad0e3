"""Which of this machine's package sources the lab's root filesystem is built from."""

from rollout.lab import sources
from rollout.lab.sources import Target, is_debian, local_mirrors, parse_targets, source_line, trust_of

OUTPUT = """\
Debian|bookworm|http://mirror.example/debian/|bookworm|main|/etc/apt/sources.list.d/debian.sources:1
Debian|bookworm-security|http://mirror.example/debian-security/|bookworm-security|main|/etc/apt/sources.list.d/debian.sources:2
Debian Backports|bookworm-backports|http://mirror.example/debian/|bookworm-backports|main|/etc/apt/sources.list:4
nodistro|nodistro|https://vendor.example/|nodistro|main|/etc/apt/sources.list.d/vendor.list:1
|||||
"""

DEB822 = """\
# A comment before the first stanza
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
# A comment inside a stanza does not end it
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEYCQjIxYJKwYBBAHaRw8BAQdAD
 -----END PGP PUBLIC KEY BLOCK-----
"""

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/debian.asc trusted=yes] http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
"""


def test_only_indices_of_origin_debian_and_of_debian_12_are_taken() -> None:
    chosen = [target.suite for target in parse_targets(OUTPUT) if is_debian(target)]
    assert chosen == ["bookworm", "bookworm-security"]


def test_a_source_that_calls_itself_bookworm_is_not_enough() -> None:
    assert not is_debian(Target("Vendor", "bookworm", "https://vendor.example/", "bookworm", "main", "f:1"))


def test_an_index_that_was_never_fetched_has_no_origin_and_is_not_taken() -> None:
    assert not is_debian(Target("", "", "http://mirror.example/debian/", "bookworm", "main", "f:1"))


def test_the_trust_of_a_deb822_stanza_is_read_by_its_number() -> None:
    assert trust_of(DEB822, 1, deb822=True) == {"signed-by": "/usr/share/keyrings/debian-archive-keyring.gpg"}
    second = trust_of(DEB822, 2, deb822=True)
    assert second["trusted"] == "yes"
    assert second["signed-by"].splitlines() == [
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "",
        "mDMEYCQjIxYJKwYBBAHaRw8BAQdAD",
        "-----END PGP PUBLIC KEY BLOCK-----",
    ]
    assert trust_of(DEB822, 3, deb822=True) == {}


def test_the_trust_of_a_one_line_source_is_read_by_its_line() -> None:
    assert trust_of(ONE_LINE, 2, deb822=False) == {
        "signed-by": "/etc/apt/keyrings/debian.asc",
        "trusted": "yes",
    }
    assert trust_of(ONE_LINE, 3, deb822=False) == {}
    assert trust_of(ONE_LINE, 9, deb822=False) == {}


def test_a_source_is_written_with_its_trust() -> None:
    target = parse_targets(OUTPUT)[0]
    assert source_line(target, {}) == "deb http://mirror.example/debian/ bookworm main"
    assert source_line(target, {"trusted": "yes", "signed-by": "/k.gpg"}) == (
        "deb [signed-by=/k.gpg trusted=yes] http://mirror.example/debian/ bookworm main"
    )


def test_mirrors_on_this_disk_are_recognised() -> None:
    assert local_mirrors(["deb file:/srv/mirror bookworm main"])
    assert local_mirrors(["deb [trusted=yes] copy:/srv/mirror bookworm main"])
    assert not local_mirrors(["deb http://mirror.example/file:/x bookworm main"])


def test_three_suites_make_up_debian_12() -> None:
    assert sources.SUITES == ("bookworm", "bookworm-updates", "bookworm-security")
