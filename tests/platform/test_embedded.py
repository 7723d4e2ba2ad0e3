import os
import shutil
from pathlib import Path

import psycopg
import pytest
from jincai import embedded
from jincai.embedded import Server
from jincai.errors import EmbeddedError


def test_the_given_folder_must_hold_postgresql(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="holds no initdb"):
        embedded.find_binaries(tmp_path)


def test_too_long_a_home_is_refused_before_anything_is_made(binaries: Path, tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    with pytest.raises(EmbeddedError, match="too long for a Unix socket"):
        Server(binaries, home).start()
    assert not home.exists()


def test_one_home_one_process(tmp_path: Path) -> None:
    with (
        embedded.only_one(tmp_path),
        pytest.raises(EmbeddedError, match="another jincai serve"),
        embedded.only_one(tmp_path),
    ):
        pass


def test_a_server_that_does_not_start_shows_its_log(binaries: Path, home: Path) -> None:
    with pytest.raises(EmbeddedError, match="max_connections"):
        Server(binaries, home, {"max_connections": "many"}).start()


def test_the_server_is_ours_alone(server: Server) -> None:
    assert server.socket_folder.stat().st_mode & 0o077 == 0
    assert server.data.stat().st_mode & 0o077 == 0
    with psycopg.connect(server.url("postgres")) as cx:
        assert cx.execute("SHOW listen_addresses").fetchone() == ("",)
        assert cx.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert cx.execute(
            "SELECT datcollate, datctype FROM pg_database WHERE datname = 'jincai'"
        ).fetchone() == ("C", "C.UTF-8")


def test_starting_and_preparing_again_changes_nothing(server: Server) -> None:
    server.start()
    embedded.prepare(server, "jincai_app")
    assert server.running()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_programs_in_a_closed_folder_are_copied_not_opened(home: Path) -> None:
    """A clone below /root is closed to PostgreSQL's user, and stays so."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    package = embedded.find_binaries().parents[1]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, closed / folder.name)
    server = Server(closed / package.name / "pginstall" / "bin", home / "server", {"fsync": "off"})
    server.start()
    try:
        assert server.running()
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop("immediate")
