"""A gateway with its lifetime: `async with Gateway(config)`, or run() for the command line."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from hedgerow.errors import GatewayError
from hedgerow.gateway.app import build_app
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.runtime import Runtime

_STOP_S = 3


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the program that embeds the gateway


class Gateway:
    """Runs while its `async with` block runs. Raises GatewayError if a part cannot start."""

    def __init__(self, config: GatewayConfig):
        self._config = config
        self._app = build_app(config)
        self._stack = contextlib.AsyncExitStack()
        self._http_port = 0

    async def __aenter__(self) -> "Gateway":
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Start everything; close() must follow if this returns."""
        async with contextlib.AsyncExitStack() as stack:
            listener = stack.enter_context(self._listen())
            self._http_port = int(listener.getsockname()[1])
            await stack.enter_async_context(self._app.router.lifespan_context(self._app))
            await stack.enter_async_context(_serving(self._app, listener))
            self._stack = stack.pop_all()

    async def close(self) -> None:
        """Commit what was received, stop everything."""
        await self._stack.aclose()

    def _listen(self) -> socket.socket:
        host, port = self._config.http_host, self._config.http_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            listener.close()
            raise GatewayError(
                f"the page cannot listen on {host}:{port}: {error}; choose another --http-port "
                f"(0: any free one) or --http-host"
            ) from error
        return listener

    @property
    def runtime(self) -> Runtime:
        return self._app.state.runtime

    @property
    def http_url(self) -> str:
        """URL of the page, from this computer."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(
            self._config.http_host, self._config.http_host
        )
        return (
            f"http://[{host}]:{self._http_port}"
            if ":" in host
            else f"http://{host}:{self._http_port}"
        )

    @property
    def mqtt_host(self) -> str:
        return self.runtime.broker.address.host

    @property
    def mqtt_port(self) -> int:
        return self.runtime.broker.address.port

    @property
    def coap_port(self) -> int | None:
        """None while no CoAP is spoken."""
        return self.runtime.coap_port

    @property
    def broker_kind(self) -> str:
        """external, mosquitto or python."""
        return self.runtime.broker.kind


@contextlib.asynccontextmanager
async def _serving(app, listener):  # type: ignore[no-untyped-def]
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    settings = uvicorn.Config(
        app,
        lifespan="off",  # entered by Gateway, so that its errors arrive as exceptions
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    server = _Server(settings)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.contextmanager
def gateway_in_thread(config: GatewayConfig) -> Iterator[Gateway]:
    """A gateway with an event loop of its own, for programs that are not asynchronous.

    Raises GatewayError as Gateway does.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gateway-loop", daemon=True)
    thread.start()

    def call(step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, loop).result()

    gateway = Gateway(config)
    try:
        call(gateway.open())
        try:
            yield gateway
        finally:
            call(gateway.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(config: GatewayConfig, on_ready: Callable[[Gateway], None]) -> None:
    """Run until SIGINT or SIGTERM; on_ready is called once everything listens."""
    asyncio.run(_run(config, on_ready))


async def _run(config: GatewayConfig, on_ready: Callable[[Gateway], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Gateway(config) as gateway:
        on_ready(gateway)
        await stop.wait()
