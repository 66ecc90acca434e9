"""A bad link on demand: a TCP relay between nodes and broker that can stall or cut.

    async with LinkProxy("127.0.0.1", 1883) as link:
        link.port            # nodes connect here
        link.stall()         # bytes stop, connections stay: the cell is gone, no one says so
        link.cut()           # connections are reset and new ones refused
        link.hang()          # connections are accepted, and nothing is carried
        link.restore()

Bytes held back by a stall are delivered by restore(), thrown away by cut(). `bytes_up` counts what
nodes sent through it. One event loop; no limits on the number of connections.
"""

import asyncio
import contextlib
import socket
import struct

_CHUNK_BYTES = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: close sends RST, as a dead peer's router would


class LinkProxy:
    """Relays 127.0.0.1:port to host:target_port."""

    def __init__(self, host: str, target_port: int, port: int = 0) -> None:
        self._target = (host, target_port)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self.bytes_up = 0
        self.connections = 0

    @property
    def port(self) -> int:
        """The port nodes connect to."""
        assert self._server is not None, "use `async with`"
        return self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> "LinkProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._wanted_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def stall(self) -> None:
        """Hold every byte, both ways, without closing anything."""
        self._flowing.clear()

    def hang(self) -> None:
        """Accept connections and carry nothing: connecting takes for ever."""
        self._refusing = False
        self._flowing.clear()

    def cut(self) -> None:
        """Reset all connections and refuse new ones until restore()."""
        self._refusing = True
        for writer in list(self._writers):
            _reset(writer)
        self._flowing.set()  # lets the relays see that their streams are gone

    def restore(self) -> None:
        """Relay again."""
        self._refusing = False
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._refusing:
                return _reset(writer)
            await self._flowing.wait()
            await self._join(reader, writer)
        except OSError:
            _reset(writer)  # the broker is down: the node sees a dead link
        finally:
            self._writers.discard(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers.add(far_writer)
        self.connections += 1
        ways = (self._relay(reader, far_writer, True), self._relay(far_reader, writer, False))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers.discard(far_writer)
            _reset(far_writer)
            writer.close()

    async def _relay(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, up: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK_BYTES):
                await self._flowing.wait()
                if self._refusing:
                    return
                sink.write(data)
                await sink.drain()
                self.bytes_up += len(data) if up else 0


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
