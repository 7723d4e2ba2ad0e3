"""`jincai serve --demo` as a person starts it, and Debian's Chromium as a person uses it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from jincai.demonstration import PASSWORD
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 20_000
START_SECONDS = 60


@pytest.fixture(scope="session")
def demo() -> Iterator[str]:
    """The demonstration's address; it ends with the session, its database and its bank as well."""
    home = Path(tempfile.mkdtemp(prefix="jincai-demo-", dir="/var/tmp"))
    home.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [str(Path(sys.executable).parent / "jincai"), "serve", "--demo", "--port", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, env={**os.environ, "JINCAI_EMBEDDED_HOME": str(home / "home")}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url, home / "log")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(home)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the demonstration does not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is missing: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Root has no sandbox; what is shown is our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class People:
    """Each person in a browser profile of their own, logged in once."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._pages: dict[str, Page] = {}

    def __call__(self, login: str) -> Page:
        """The page of the demonstration's account ``login``."""
        if login not in self._pages:
            context = self._browser.new_context(
                base_url=self._url, locale="zh-CN", viewport={"width": 1280, "height": 900}
            )
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            # With the keyboard alone: the name has the focus, Tab leads to the password, Enter sends.
            page.goto("/login")
            expect(page.get_by_label("用户名")).to_be_focused()
            page.keyboard.type(login)
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.locator(".who")).to_contain_text(login)
            self._pages[login] = page
        return self._pages[login]


@pytest.fixture(scope="session")
def people(browser: Browser, demo: str) -> People:
    return People(browser, demo)


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Iterator[None]:
    """With JINCAI_SCREENSHOTS=folder, a picture of every person's last page, whatever became of the test."""
    yield
    if folder := os.environ.get("JINCAI_SCREENSHOTS"):
        people: People = request.getfixturevalue("people")
        for login, page in people._pages.items():
            page.screenshot(path=Path(folder) / f"{request.node.name}-{login}.png", full_page=True)
