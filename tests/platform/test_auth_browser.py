"""Single sign-on in a real browser: which cookies it sends on the way from the provider's site decides."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep

import psycopg
import pytest
import uvicorn
from jincai import app, plugins
from jincai.auth import accounts
from jincai.settings import Settings
from playwright.sync_api import sync_playwright

from tests.platform import oidc_provider
from tests.platform.auth_people import person

CHROMIUM = shutil.which("chromium")


@contextmanager
def serving(database, issuer: str) -> Iterator[str]:
    """The application at ``localhost``, which is another site than the provider's 127.0.0.1."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        ours = f"http://localhost:{listening.getsockname()[1]}"
        given = {
            "auth_database_url": database.auth,
            "oidc_issuer": issuer,
            "oidc_client_id": oidc_provider.CLIENT,
            "oidc_client_secret": oidc_provider.SECRET,
            "public_url": ours,
        }
        made = app.create(Settings.model_validate(given), database.app, plugins.load())
        server = uvicorn.Server(uvicorn.Config(made, log_level="warning"))
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            sleep(0.05)
        yield ours
        server.should_exit = True
        thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")
def test_a_browser_comes_in_without_javascript(database) -> None:
    with psycopg.connect(database.auth) as cx:
        accounts.link(cx, person(database.auth, "wang.li"), "w-1001", by="test")
    with (
        oidc_provider.running() as provider,
        serving(database, provider.url) as ours,
        sync_playwright() as playwright,
    ):
        provider.shows_page = True
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{ours}/budget/indicators")
        page.get_by_role("link", name="单点登录").click()
        page.get_by_role("link", name="yes").click()
        page.wait_for_url(f"{ours}/budget/indicators", timeout=15_000)
        assert page.get_by_text("wang.li").count() == 1
        browser.close()
