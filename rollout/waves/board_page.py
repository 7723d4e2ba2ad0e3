"""The board as a page: self-contained, readable from across a room; served on this machine only."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rollout import pages
from rollout.errors import ConfigurationError
from rollout.waves.board import Board
from rollout.waves.board_text import CHINESE

REFRESH_SECONDS = 2
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def render(board: Board, titles: Mapping[str, str], refresh: int = 0) -> str:
    """The page; with ``refresh`` it loads itself anew every so many seconds while the run goes on."""
    template = pages.environment().get_template("board.html.j2")
    return template.render(board=board, titles=titles, refresh=refresh, chinese=CHINESE)


def server(address: str, look: Callable[[], Board], titles: Mapping[str, str]) -> ThreadingHTTPServer:
    """Answers ``/`` and ``/board.json`` at ``HOST:PORT``; who calls ``serve_forever`` also closes it.

    It shows who does what where, and asks nobody who he is: so only to this machine.
    """
    host, _, port = address.rpartition(":")
    if host.strip("[]") not in LOOPBACK or not port.isdigit():
        raise ConfigurationError(
            f"--serve {address}: not an address of this machine", "For example --serve 127.0.0.1:8090."
        )
    lock = threading.Lock()  # the journal has one connection

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """One of the two."""
            if self.path not in {"/", "/board.json"}:
                self.send_error(404)
                return
            with lock:
                board = look()
            if self.path == "/":
                self._answer("text/html; charset=utf-8", render(board, titles, REFRESH_SECONDS))
            else:
                self._answer("application/json", board.model_dump_json())

        def _answer(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the terminal belongs to whoever started it."""

    return ThreadingHTTPServer((host.strip("[]"), int(port)), Handler)
