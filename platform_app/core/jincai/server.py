"""Runs the web application in this process until SIGINT or SIGTERM."""

import asyncio
import gc
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
import uvicorn

from jincai import app, logs
from jincai.errors import ConfigurationError
from jincai.platform import Platform
from jincai.settings import Settings
from jincai.system import System

# systemd waits longer than this and the draining before it; requests wait at most 8 s for the database.
GRACE_SECONDS = 9
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Address:
    """Where to listen; certificate and key as PEM files, both or none."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """What to type into a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}/"


def run(settings: Settings, database_url: str, systems: tuple[System, ...], address: Address) -> None:
    """Serve until asked to stop, then drain; requests under way are finished, for 9 seconds at most.

    Raises:
        ConfigurationError: certificate and key do not fit, or the address cannot be listened on.
    """
    logs.configure()
    _check_tls(address)
    listening = _listen(address)
    made = app.create(settings, database_url, systems)
    config = uvicorn.Config(
        made,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        timeout_graceful_shutdown=GRACE_SECONDS,
        access_log=False,
        ws="none",
        server_header=False,
        log_config=None,
    )
    with listening, _outliving_signals():
        _Announcing(config, address, made.state.platform, settings.drain_seconds).run(sockets=[listening])


class _Announcing(uvicorn.Server):
    """Says where it serves once it does, and that it will stop before it does."""

    def __init__(self, config: uvicorn.Config, address: Address, platform: Platform, drain: float) -> None:
        super().__init__(config)
        self._address = address
        self._platform = platform
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers on while HAProxy learns from `/livez` to send no more; a second signal cuts that short."""
        self._platform.draining.set()
        end = time.monotonic() + self._drain
        while time.monotonic() < end and not self.force_exit:
            await asyncio.sleep(_LOOK_SECONDS)
        self._platform.leaving.set()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What was loaded stays: looking through it again and again made requests wait 50 ms.
        gc.collect()
        gc.freeze()
        typer.echo(f"金财 jincai: {self._address.url}")


def _check_tls(address: Address) -> None:
    if (address.certificate is None) != (address.key is None):
        raise ConfigurationError("--tls-cert and --tls-key belong together", "Give both or none.")
    if address.certificate and address.key:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(address.certificate, address.key)
        except OSError as error:  # ssl.SSLError is one
            pair = f"{address.certificate} and {address.key}"
            raise ConfigurationError(
                f"cannot use {pair}: {error}", "Both must be PEM and fit together."
            ) from error


def _listen(address: Address) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {address.host}:{address.port}: {error.strerror}", "Choose --host and --port."
        ) from error
    return listening


@contextmanager
def _outliving_signals() -> Iterator[None]:
    """Let a stop signal end the server but not the process.

    uvicorn raises the signal that stopped it once more, for whoever listened before. Here that must not
    kill the process, which may have a database to stop and has an exit code to give.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
