"""The file socket against the running platform: answered, put away, never twice, never outside its folder."""

import csv
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from jincai.socket.drop import deliver
from jincai.socket.drop.folder import Folder
from jincai.socket.drop.service import Drop

from tests.platform.posting import assert_books_agree, make_quota, shown, token_for_all
from tests.platform.socket_books import new_key, publish_codes

HEADER = (
    "VoucherNo,StYear,AdmDivCode,AgencyCode,quota_id,PayAmt,VouDate,PayeeAcctName,PayeeAcctNo,PaySummaryName"
)


@pytest.fixture(scope="module")
def platform(database, live: str) -> str:
    publish_codes(database.owner)
    return live


@pytest.fixture(scope="module")
def key(database) -> str:
    return new_key(database.auth, "示例软件")


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


@pytest.fixture
def folder(tmp_path: Path, key: str) -> Path:
    """The folder of one outside system, with its key beside."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "abc").write_text(key + "\n")
    (tmp_path / "drop" / "abc" / "in").mkdir(parents=True)
    return tmp_path / "drop" / "abc"


def run(folder: Path, url: str, *, quiet: float = 0) -> int:
    drop = Drop(folder.parent, folder.parents[1] / "keys", url, None, every=1, quiet=quiet, lang="en")
    return drop.run(once=True)


def line(quota: int, n: int, *, amount: str = "1.00", year: int = 2010, agency: str = "101001") -> str:
    said = f"drop-{quota}-{n:06},{year},450100000,{agency},{quota},{amount},{year}0305"
    return f"{said},示例文具店,45000001,办公用品"


def put(folder: Path, name: str, *lines: str) -> None:
    (folder / "in" / name).write_text("\n".join([HEADER, *lines, ""]))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def names(folder: Path) -> dict[str, list[str]]:
    return {
        one: sorted(path.name for path in (folder / one).iterdir())
        for one in ("in", "work", "done", "refused", "out")
    }


def used(books: psycopg.Connection, quota: int) -> int:
    row = books.execute("SELECT used FROM payment.quota WHERE id = %s", (quota,)).fetchone()
    assert row
    return int(row[0])


def test_a_file_is_posted_and_answered_line_by_line(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 150)
    put(folder, "payment_order-1.csv", line(quota, 1), line(quota, 2))
    assert run(folder, platform) == 1
    receipt = table(folder / "out" / "payment_order-1.receipt.csv")
    assert [(one["line"], one["outcome"], one["reason"]) for one in receipt] == [
        ("2", "posted", ""),
        ("3", "refused", "over_quota"),
    ]
    assert int(receipt[0]["payment_id"]) > 0
    assert used(books, quota) == 100
    found = names(folder)
    assert (found["in"], found["work"], found["refused"], len(found["done"])) == ([], [], [], 1)


def test_xml_is_answered_in_xml(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 1_000)
    fields = dict(zip(HEADER.split(","), line(quota, 1).split(","), strict=True))
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    (folder / "in" / "payment_order-1.xml").write_text(f"<documents><document>{inner}</document></documents>")
    run(folder, platform)
    text = (folder / "out" / "payment_order-1.receipt.xml").read_text()
    assert "<line>1</line><document>1</document><outcome>posted</outcome><reason></reason>" in text
    assert used(books, quota) == 100


def test_the_same_file_again_posts_nothing(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 1_000)
    for _ in range(2):
        put(folder, "payment_order-1.csv", line(quota, 1))
        run(folder, platform)
    assert used(books, quota) == 100
    assert table(folder / "out" / "payment_order-1.receipt.csv")[0]["again"] == "false"


def test_several_blocks_are_one_file(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 10_000_000)
    put(folder, "payment_order-1.csv", *(line(quota, n) for n in range(2_500)))
    run(folder, platform)
    receipt = table(folder / "out" / "payment_order-1.receipt.csv")
    assert [one["line"] for one in receipt] == [str(n) for n in range(2, 2_502)]
    assert used(books, quota) == 250_000


def test_every_wrong_line_is_named_and_nothing_is_done(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 10_000_000)
    lines = [line(quota, n) for n in range(1_500)]
    lines[3] = line(quota, 3, agency="999999")
    lines[7] = line(quota, 7, year=2011)
    lines[1_200] = line(quota, 1_200, amount="-5.00")
    put(folder, "payment_order-1.csv", *lines)
    run(folder, platform)
    refused = table(folder / "out" / "payment_order-1.refused.csv")
    assert [(one["line"], one["field"], one["found"]) for one in refused] == [
        ("5", "AgencyCode", "999999"),
        ("9", "StYear", "2011"),
        ("1202", "PayAmt", "-5.00"),
    ]
    assert (used(books, quota), names(folder)["done"], len(names(folder)["refused"])) == (0, [], 1)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("payment_order-1.csv", b"x" * 10_000_001, "10,000,000 bytes at most"),
        ("payment_order-1.csv", b"a\n" + b"1\n" * 100_001, "100000 lines at most; split it"),
        ("payment_order-1.csv", b"StYear\n\xff\n", "UTF-8"),
        ("payment_order-1.xml", b"<!DOCTYPE d><documents/>", "XML without DTD and entities"),
        ("unheard_of-1.csv", b"a\n1\n", "payment_order-….csv"),
        ("voucher-1.csv", b"a\n1\n", "payment_order-….csv"),
    ],
    ids=["bytes", "lines", "utf-8", "dtd", "kind", "not-pushed"],
)
def test_a_wrong_file_is_refused(platform: str, folder: Path, name: str, data: bytes, expected: str) -> None:
    (folder / "in" / name).write_bytes(data)
    assert run(folder, platform) == 1
    assert [one["expected"] for one in table(folder / "out" / f"{name[:-4]}.refused.csv")] == [expected]
    found = names(folder)
    assert (found["in"], found["work"], found["done"], len(found["refused"])) == ([], [], [], 1)
    assert (folder / "refused" / found["refused"][0]).read_bytes() == data


def test_only_complete_files_are_taken(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 10_000)
    put(folder, "payment_order-1.csv.part", line(quota, 1))
    put(folder, "payment_order-2.csv", line(quota, 2))
    put(folder, ".payment_order-3.csv", line(quota, 3))
    put(folder, "payment_order-4.csv", line(quota, 4))
    (folder / "in" / "payment_order-4.csv.done").touch()
    (folder / "in" / "payment_order-5.csv").mkdir()
    assert run(folder, platform, quiet=60) == 1
    assert used(books, quota) == 100
    assert names(folder)["out"] == ["payment_order-4.receipt.csv"]
    assert "payment_order-4.csv.done" not in names(folder)["in"]
    assert len(names(folder)["in"]) == 4


def test_links_and_pipes_are_not_followed(platform: str, folder: Path, books) -> None:
    secret = folder.parents[1] / "secret.csv"
    secret.write_text("\n".join([HEADER, line(make_quota(books, 1_000), 1), ""]))
    (folder / "in" / "payment_order-1.csv").symlink_to(secret)
    os.mkfifo(folder / "in" / "payment_order-2.csv")
    assert run(folder, platform) == 2
    for n in (1, 2):
        refused = table(folder / "out" / f"payment_order-{n}.refused.csv")
        assert [one["expected"] for one in refused] == ["a regular file that may be read"]
    assert names(folder)["done"] == []
    assert secret.exists()


def test_a_file_that_may_not_be_read_stops_no_other(
    platform: str, folder: Path, books, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = make_quota(books, 1_000)
    put(folder, "payment_order-1.csv", line(quota, 1))
    put(folder, "payment_order-2.csv", line(quota, 2))
    real = os.open

    def closed(path, *arguments, **named):  # root may read everything
        if path == "payment_order-1.claimed.csv":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", closed)
    assert run(folder, platform) == 2
    assert used(books, quota) == 100
    assert names(folder)["out"] == ["payment_order-1.refused.csv", "payment_order-2.receipt.csv"]


def test_a_file_that_nobody_foresaw_stops_no_other(
    platform: str, folder: Path, books, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    quota = make_quota(books, 1_000)
    put(folder, "payment_order-1.csv", line(quota, 1))
    (folder / "in" / "payment_order-2.xml").write_text("<documents/>")
    with monkeypatch.context() as patched:
        patched.setattr(deliver.xml_file, "read", lambda *_: {}["unforeseen"])
        assert run(folder, platform) == 1
    assert used(books, quota) == 100
    assert "unforeseen" in caplog.text
    assert run(folder, platform) == 1
    assert "payment_order-2.refused.csv" in names(folder)["out"]


def test_a_folder_that_is_a_link_is_left_alone(platform: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "in").mkdir(parents=True)
    (tmp_path / "keys" / "linked").write_text("jincai_x")
    (folder.parent / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    put(folder, "payment_order-1.csv", "x")
    assert run(folder, platform) == 0
    assert [one.name for one in (tmp_path / "elsewhere").iterdir()] == ["in"]
    assert (folder / "in" / "payment_order-1.csv").exists()


def test_odd_names_become_safe_and_stay_apart(platform: str, folder: Path) -> None:
    for name in ("付款.csv", "付费.csv", "payment_order-1;rm -rf $HOME\n.csv", "-x.csv"):
        put(folder, name, "x")
    (Path(os.fsdecode(os.fsencode(folder / "in") + b"/\xff\xfe.CSV"))).write_text("a\n1\n")
    assert run(folder, platform) == 5
    written = names(folder)["out"]
    assert len(written) == len(set(written)) == 5
    assert all(one.isascii() and not set(one) & set(" ;$\n/") for one in written)


def test_without_a_good_key_files_wait(platform: str, folder: Path, books, caplog) -> None:
    quota = make_quota(books, 1_000)
    put(folder, "payment_order-1.csv", line(quota, 1))
    good = folder.parents[1] / "keys" / "abc"
    key = good.read_text()
    good.unlink()
    assert run(folder, platform) == 0
    good.write_text("jincai_wrong")
    assert run(folder, platform) == 0
    good.write_text(key)
    assert run(folder, "http://127.0.0.1:9") == 0
    assert [one.message.split(":")[1].strip() for one in caplog.records if one.levelname == "WARNING"] == [
        "no key in the folder of keys, so its files wait",
        "files wait",
        "files wait",
    ]
    assert run(folder, platform) == 1
    assert used(books, quota) == 100


STEPS = ["move", "write", "remove", "read", "post"]


@pytest.mark.parametrize("at", range(1, 40))
def test_killed_at_any_step_nothing_is_lost_or_done_twice(
    platform: str, folder: Path, books, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    quota = make_quota(books, 10_000_000)
    put(folder, "payment_order-1.csv", *(line(quota, n) for n in range(1_100)))
    put(folder, "payment_order-2.csv", line(quota, 9_999, amount="-1"))
    count = 0

    class KilledError(BaseException):
        """Not an Exception: nothing of ours may handle it."""

    def dying(real):
        def step(*arguments, **named):
            nonlocal count
            count += 1
            if count == at:
                raise KilledError
            done = real(*arguments, **named)
            count += 1
            if count == at:
                raise KilledError
            return done

        return step

    with monkeypatch.context() as patched:
        for name in STEPS[:-1]:
            patched.setattr(Folder, name, dying(getattr(Folder, name)))
        patched.setattr(deliver.Client, "post", dying(deliver.Client.post))
        try:
            run(folder, platform)
        except KilledError:
            pass
        else:
            assert count < at
    run(folder, platform)
    receipt = table(folder / "out" / "payment_order-1.receipt.csv")
    assert {one["outcome"] for one in receipt} == {"posted"}
    assert (len(receipt), used(books, quota)) == (1_100, 110_000)
    assert [one["field"] for one in table(folder / "out" / "payment_order-2.refused.csv")] == ["PayAmt"]
    found = names(folder)
    assert [one for one in found["work"] if not one.endswith(".checked")] == []
    assert (found["in"], len(found["done"]), len(found["refused"])) == ([], 1, 1)


def test_as_a_service_it_goes_round_and_stops_when_told(platform: str, folder: Path, books) -> None:
    quota = make_quota(books, 1_000)
    arguments = [
        "--url",
        platform,
        "--keys",
        str(folder.parents[1] / "keys"),
        "--every",
        "0.1",
        "--quiet",
        "0",
    ]
    command = [sys.executable, "-m", "jincai", "drop", str(folder.parent), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        put(folder, "payment_order-1.csv.part", line(quota, 1))
        (folder / "in" / "payment_order-1.csv.part").rename(folder / "in" / "payment_order-1.csv")
        answer = folder / "out" / "payment_order-1.receipt.csv"
        for _ in range(1200):
            if answer.exists():
                break
            assert process.poll() is None
            signal.sigtimedwait([], 0.05)
        second = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert (second.returncode, "another jincai drop works on" in second.stderr) == (2, True)
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=90)
    assert (process.returncode, out) == (0, "1 files answered\n")
    assert used(books, quota) == 100


def test_a_key_does_not_travel_in_the_clear(folder: Path) -> None:
    with pytest.raises(Exception, match="in the clear"):
        run(folder, "http://198.18.0.1")
