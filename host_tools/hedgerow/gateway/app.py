"""Assembles the gateway: background parts, API and page in one FastAPI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from hedgerow import __version__
from hedgerow.dashboard.pages import add_pages
from hedgerow.gateway.api import add_api
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.http_door import add_http_door
from hedgerow.gateway.runtime import running


def build_app(config: GatewayConfig) -> FastAPI:
    """The app; its lifespan runs broker, ingest and MQTT session (app.state.runtime)."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(config) as runtime:
            app.state.runtime = runtime
            yield

    app = FastAPI(
        title="Hedgerow gateway",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages load scripts from a CDN, and a farm is offline
        redoc_url=None,
    )
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=5)
    add_api(app)
    add_http_door(app)
    add_pages(app)
    return app
