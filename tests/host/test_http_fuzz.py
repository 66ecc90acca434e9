"""Mutated HTTP answers into the board's client: an answer or a named error, nothing else."""

import asyncio
import os
import random

import oscore_shim  # noqa: F401
import pytest

from hedge.core.errors import LinkError
from hedge.net.http_client import Http

_ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 503 Busy\r\nRetry-After: 10\r\n\r\nlater",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
)


class _Stream:
    """Gives bytes in pieces, then the end."""

    bytes_sent = 0

    def __init__(self, data, rng):
        self._data, self._rng = data, rng

    async def write(self, data, limit_ms):
        pass

    async def readinto(self, buf):
        n = min(self._rng.randint(1, 99), len(buf), len(self._data))
        buf[:n], self._data = self._data[:n], self._data[n:]
        return n

    def close(self):
        pass


def _mutated(rng):
    data = bytearray(rng.choice(_ANSWERS))
    for _ in range(rng.randint(0, 6)):
        at = rng.randrange(len(data) + 1)
        more = rng.choice((b"\r\n", b":", b"9999", b"-", b"\x00\xff", b"x" * 300, b"\n\n"))
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at] = more
        elif kind == 1:
            del data[at : at + rng.randint(1, 20)]
        elif kind == 2:
            data[at : at + 1] = bytes([rng.randrange(256)])
        else:
            data[at:at] = data[at : at + rng.randint(1, 40)]
    return bytes(data)


async def _fuzz(count, seed):
    rng = random.Random(seed)
    found = {"answers": 0, "errors": 0}
    for _ in range(count):
        stream = _Stream(_mutated(rng), rng)

        async def give(stream=stream):
            return stream

        http = Http(give, "farm")
        try:
            status, body = await http.request("POST", "/api/up/bed-3", b"frame")
            assert 0 <= status <= 999
            assert len(body) <= 512
            found["answers"] += 1
        except LinkError:
            found["errors"] += 1
        assert len(http._held) <= 2048
    return found


def test_mutated_answers():
    found = asyncio.run(_fuzz(2000, 1))
    assert min(found.values()) > 200, found


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_many_mutated_answers():
    """10^6, or $HEDGEROW_HTTP_FUZZ."""
    asyncio.run(_fuzz(int(os.environ.get("HEDGEROW_HTTP_FUZZ", "1000000")), 2))
