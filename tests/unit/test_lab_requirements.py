"""What the lab says on a machine where it cannot run."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError
from rollout.lab import requirements


def without(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name: None if name in programs else found(name) or f"/usr/bin/{name}"
    )


def test_everything_missing_stands_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "mmdebstrap", "systemd-nspawn", "nsenter", "unshare")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError) as caught:
        requirements.require()
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "root (run as root or with sudo)" in text
    assert "apt-get install --no-install-recommends mmdebstrap systemd-container util-linux\n" in text
    assert "make serve" in text


def test_on_another_system_nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert requirements.missing() == ["Linux"]


def test_nothing_to_install_names_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError) as caught:
        requirements.require()
    assert "apt-get" not in caught.value.hint


def test_a_home_that_overlayfs_cannot_write_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requirements.check_home(tmp_path)
    monkeypatch.setattr(requirements, "filesystem_of", lambda _folder: "overlayfs")
    with pytest.raises(ConfigurationError, match="lies on overlayfs"):
        requirements.check_home(tmp_path)
