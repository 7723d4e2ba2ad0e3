"""Assembles the web application from the platform's routes and those of the access systems."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from jincai import __version__, freezing, identity, limits, migrate, operations, problems
from jincai.auth import desk_routes, oidc
from jincai.auth.origin import SameOrigin
from jincai.auth.passwords import Passwords
from jincai.auth.principal import Remembered, principal_of
from jincai.database import Database
from jincai.headers import SafeHeaders
from jincai.metrics import CountRequests, Metrics
from jincai.monitoring import routes as monitoring
from jincai.pages import accounts, audit, drafts, editions, login, password, progress, rendering, sign_on
from jincai.pages import routes as pages
from jincai.platform import Platform
from jincai.settings import Settings
from jincai.socket import routes as socket
from jincai.standards import draft_routes, edition_routes
from jincai.standards import routes as standards
from jincai.system import System


def create(settings: Settings, url: str, systems: tuple[System, ...]) -> FastAPI:
    """The application on the database at ``url``; nothing is connected before it starts.

    Raises:
        MigrationError: the installed migrations are damaged.
    """
    database = Database(url, size=settings.pool_max, name="requests")
    lane = Database(url, size=1, name="health")
    door = Database(settings.auth_database_url or url, size=2, name="log-in")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        every = (database, lane, door)
        await asyncio.gather(*(one.open() for one in every))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(freezing.watching(app.state.platform))
            for running in monitoring.RUNNING:
                await stack.enter_async_context(running(app.state.platform))
            for system in systems:
                if system.running:
                    await stack.enter_async_context(system.running(app.state.platform))
            yield
        app.state.passwords.close()
        if app.state.sign_on:
            app.state.sign_on.close()
        await asyncio.gather(*(one.close() for one in every))

    app = FastAPI(
        title="金财 jincai",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={status: {"model": problems.Problem} for status in (401, 403, 422, 503)},
        lifespan=lifespan,
    )
    problems.install(app)
    app.include_router(operations.router)
    app.include_router(standards.router)
    app.include_router(edition_routes.router)
    app.include_router(draft_routes.router)
    app.include_router(socket.router)
    app.include_router(desk_routes.router)
    app.include_router(pages.router)
    app.include_router(drafts.router)  # its …/draft comes before any number
    app.include_router(editions.router)
    for one in (login, sign_on, password, accounts, audit, progress):
        app.include_router(one.router)
    for router in monitoring.ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(packages=[("jincai", "pages/static")]), name="static")
    for system in systems:
        # Nothing of a system is for nobody, whatever its author forgot.
        app.include_router(system.router(), dependencies=[Depends(principal_of)])

    rendering.environment(systems)

    # Last, since the stock-taking is to see everything that serves.
    loaded = identity.at_start(systems, settings)
    metrics = Metrics(loaded, lambda: {one.name: one.stats() for one in (database, lane, door)})
    app.add_middleware(limits.BodyLimit)
    app.add_middleware(SameOrigin)
    app.add_middleware(SafeHeaders)
    app.add_middleware(CountRequests, metrics=metrics)
    app.state.schema_known = operations.SchemaKnown()
    app.state.remembered = Remembered()
    app.state.passwords = Passwords()
    app.state.sign_on = oidc.configured(settings)
    app.state.platform = Platform(
        loaded=loaded,
        systems=systems,
        database=database,
        lane=lane,
        door=door,
        expected=migrate.newest(systems),
        metrics=metrics,
    )
    return app
