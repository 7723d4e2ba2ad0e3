import hashlib
from pathlib import Path

import pytest

from rollout.apply import managed
from rollout.apply.gather import gather
from rollout.apply.managed import Managed
from rollout.errors import ApplyError
from tests.unit.test_apply_support import Local


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def one(*lines: str) -> Managed:
    return managed.put_together(lines)["h"]


def test_later_lines_count_more() -> None:
    found = one(
        '{"host": "h", "path": "/etc/a", "content": "written", "sha1": "1"}',
        '{"host": "h", "path": "/etc/a", "content": "written", "sha1": "2"}',
        '{"host": "h", "path": "/etc/a", "content": "kept"}',
        '{"host": "h", "path": "/etc/b", "content": "written", "sha1": "3"}',
        '{"host": "h", "path": "/etc/b", "content": "edited"}',
        '{"host": "h", "path": "/etc/c", "content": "declared"}',
        '{"host": "h", "path": "/etc/d/*", "content": "declared"}',
        '{"host": "h", "path": "/etc/e[1]", "content": "kept"}',
    )
    assert found.files == {"/etc/a": "2", "/etc/b": None, "/etc/c": None, "/etc/e[1]": None}
    assert found.patterns == {"/etc/d/*"}


def test_what_is_removed_is_not_managed_nor_is_what_was_below_it() -> None:
    found = one(
        '{"host": "h", "path": "/etc/x", "content": "kept"}',
        '{"host": "h", "path": "/etc/x/y", "content": "written", "sha1": "1"}',
        '{"host": "h", "path": "/etc/xy", "content": "kept"}',
        '{"host": "h", "path": "/etc/x", "removed": true}',
    )
    assert found.files == {"/etc/xy": None}


def test_services_and_whether_they_must_be_enabled() -> None:
    found = one(
        '{"host": "h", "unit": "etcd.service", "enabled": true}',
        '{"host": "h", "unit": "etcd.service", "enabled": null}',
        '{"host": "h", "unit": "patroni.service", "enabled": null}',
        '{"host": "h", "unit": "old.service", "enabled": true}',
        '{"host": "h", "unit": "old.service", "removed": true}',
        '{"host": "h", "unit": "never.service", "enabled": false, "only": "enabled"}',
    )
    assert found.services == {"etcd.service": True, "patroni.service": False}


def test_the_record_holds_what_is_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o750)
    (tmp_path / "bin" / "run").write_text("run")
    (tmp_path / "bin" / ".hidden").write_text("hidden")
    (tmp_path / "link").symlink_to("bin/run")
    (tmp_path / "conf").write_text("conf")
    (tmp_path / "conf").chmod(0o640)
    found = Managed(
        files={
            str(tmp_path / "conf"): sha1("conf"),
            str(tmp_path / "link"): None,
            str(tmp_path / "bin"): None,
        },
        patterns={str(tmp_path / "bin" / "*")},
    )
    record = gather({"h": Local()}, {"h": found})["h"]
    files = {path.removeprefix(f"{tmp_path}/"): entry for path, entry in record.files.items()}
    assert set(files) == {"conf", "link", "bin", "bin/run", "bin/.hidden"}
    assert files["conf"].sha256 == hashlib.sha256(b"conf").hexdigest()
    assert (files["conf"].mode, files["conf"].owner) == ("0640", (tmp_path / "conf").owner())
    assert (files["link"].type, files["link"].target, files["link"].sha256) == ("link", "bin/run", None)
    assert (files["bin"].type, files["bin"].mode, files["bin"].sha256) == ("directory", "0750", None)


def test_a_host_without_anything_has_an_empty_record() -> None:
    assert gather({"h": Local()}, {})["h"].files == {}


def test_a_file_that_moved_during_the_apply_is_named(tmp_path: Path) -> None:
    (tmp_path / "moved").write_text("somebody was here")
    found = Managed(files={str(tmp_path / "moved"): sha1("as written"), str(tmp_path / "gone"): None})
    with pytest.raises(ApplyError) as caught:
        gather({"h": Local()}, {"h": found})
    assert f"h: {tmp_path}/moved: its content changed after it was written" in str(caught.value)
    assert f"h: {tmp_path}/gone: it was written, and is gone" in str(caught.value)


def test_a_service_that_does_not_run_any_more_is_named() -> None:
    with pytest.raises(ApplyError, match=r"no-such-thing\.service: it was started, and is "):
        gather({"h": Local()}, {"h": Managed(services={"no-such-thing.service": True})})
