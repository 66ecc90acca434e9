"""The bad link: relays, stalls, cuts, restores."""

import asyncio

import pytest

from hedgerow.sim.linkproxy import LinkProxy

_WAIT_S = 60


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def _scenario() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, LinkProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"a")
        assert await asyncio.wait_for(reader.read(1), _WAIT_S) == b"a"

        link.stall()
        writer.write(b"b")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        link.restore()
        assert await asyncio.wait_for(reader.read(1), _WAIT_S) == b"b"

        link.cut()
        with pytest.raises(OSError):
            assert await asyncio.wait_for(reader.read(1), _WAIT_S) == b"", "reset or end"
            raise ConnectionResetError
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        with pytest.raises(OSError):
            assert await asyncio.wait_for(reader.read(1), _WAIT_S) == b"", "refused"
            raise ConnectionResetError
        writer.close()

        link.restore()
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"c")
        assert await asyncio.wait_for(reader.read(1), _WAIT_S) == b"c"
        assert link.bytes_up == 3
        writer.close()


def test_relay_stall_cut_restore() -> None:
    asyncio.run(_scenario())
