"""amqtt's broker with three faults of 0.11 and 0.12 mended.

- It walks its table of subscriptions over awaits: a client that subscribes or leaves meanwhile
  ended the connection of another with "dictionary changed size during iteration".
- shutdown() waits for ever for a client that connects or sends at this moment (the task that reads
  is cancelled before its first step, or wait_for of Python 3.11 forgets that it was cancelled) or
  that reads nothing, and not at all for a connection's task.
- It starts tasks whose errors nobody looks at: a PUBACK that did not come, a packet that was under
  way when its connection died. asyncio prints each with a traceback.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from typing import Any

import amqtt
from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig

_log = logging.getLogger("hedgerow.gateway.broker")
_END_S = 2.0  # far more than the tasks of a connection that is gone need
_AMQTT = str(Path(amqtt.__file__).parent)


class QuietAmqtt(Broker):
    """A fault of one client ends its connection, and is one line (DEBUG) of our log."""

    def __init__(self, config: BrokerConfig):
        super().__init__(config)
        self._subscriptions = _Table()
        self._connections: dict[asyncio.Task[Any], _Writer] = {}

    async def start(self) -> None:
        _FaultHandler.install(asyncio.get_running_loop())
        await super().start()

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        task = asyncio.current_task()
        assert task
        out = self._connections[task] = _Writer(writer)
        try:
            # The streams of Python 3.11 print a traceback for a task that ends as cancelled.
            with contextlib.suppress(asyncio.CancelledError):
                await self._client_connected(listener_name, StreamReaderAdapter(reader), out)
        finally:
            del self._connections[task]
            writer.close()  # after a fault it stayed open, and the client waited

    async def shutdown(self) -> None:
        """Cuts every connection and lets its tasks end; then amqtt has nothing to wait for."""
        for server in self._servers.values():
            server.instance.close()
        for writer in self._connections.values():
            writer.cut()
        await self._connections_end()
        for task in self._connections:
            task.cancel()
        await self._connections_end()
        await super().shutdown()

    async def _connections_end(self) -> None:
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=_END_S)


class _Writer(StreamWriterAdapter):
    """Of one connection."""

    def cut(self) -> None:
        """End it at once; what is written from now on goes nowhere."""
        self.is_closed = True
        self._writer.transport.abort()


class _Table(dict[str, Any]):
    """May change while somebody walks it."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.keys()))

    def items(self) -> Any:
        return list(super().items())


class _FaultHandler:
    """A loop's exception handler: amqtt's to our log, all others to the handler before it."""

    def __init__(self, before: Any) -> None:
        self._before = before

    @classmethod
    def install(cls, loop: asyncio.AbstractEventLoop) -> None:
        """It stays when the broker has gone: asyncio tells of some errors when it tidies up."""
        before = loop.get_exception_handler()
        if not isinstance(before, cls):
            loop.set_exception_handler(cls(before))

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and _is_of_amqtt(error):
            _log.debug("%s: %r", context["message"], error)
        elif self._before:
            self._before(loop, context)
        else:
            loop.default_exception_handler(context)


def _is_of_amqtt(error: BaseException | None) -> bool:
    """True if it, or what it was raised for, passed through amqtt's code."""
    while error is not None:
        frames = (frame for frame, _ in walk_tb(error.__traceback__))
        if any(frame.f_code.co_filename.startswith(_AMQTT) for frame in frames):
            return True
        error = error.__cause__ or error.__context__
    return False
