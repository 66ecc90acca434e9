"""SNTP under MicroPython against small servers on loopback: wrong, hostile, refusing, silent."""

import contextlib
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
from peers import soon

pytestmark = pytest.mark.interop

_SCRIPT = Path(__file__).with_name("upy") / "sntp_node.py"
_SINCE_1900_S = 2208988800


class TimeServer:
    """A server whose clock is off by offset_s; spoil(answer, request) -> datagrams to send.

    limit_ms: how long the node waits for it.
    """

    def __init__(
        self,
        offset_s: float = 0.0,
        spoil=lambda answer, _request: [answer],
        limit_ms: int = 60000,
    ) -> None:
        self.asked = 0
        self.limit_ms = limit_ms
        self._offset_s = offset_s
        self._spoil = spoil
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = list(self._socket.getsockname())
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "TimeServer":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # not connected; it ends recvfrom() all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(120)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self._socket.recvfrom(100)
                if not data:
                    return
                self.asked += 1
                for answer in self._spoil(self._answer(data), data):
                    self._socket.sendto(answer, peer)
            except OSError:
                return

    def _answer(self, request: bytes) -> bytes:
        now = time.time() + self._offset_s + _SINCE_1900_S
        stamp = struct.pack(">II", int(now), int(now % 1 * (1 << 32)))
        head = struct.pack(">BBbb", 0x24, 2, 6, -20) + bytes(8) + b"GPS\0" + stamp
        return head + request[40:48] + stamp + stamp


def _kiss(code: bytes):
    return lambda answer, _request: [answer[:1] + b"\0" + answer[2:12] + code + answer[16:]]


@pytest.fixture
def ask(play):
    """ask(*servers, times=1) -> what the node says at its end."""

    def run(*servers: TimeServer, times: int = 1, **args) -> dict:
        addresses = [[*server.address, server.limit_ms] for server in servers]
        scenario = {"servers": addresses, "times": times, "pause_ms": 10, "script": _SCRIPT}
        with play("sntp", **scenario, **args) as node:
            return node.result()

    return run


def test_a_right_clock_stays(ask):
    with TimeServer() as server:
        result = ask(server, times=3)
    assert (result["known"], result["steps"], result["syncs"]) == ([True] * 3, [], 3)


def test_a_small_offset_is_slewed(ask):
    with TimeServer(offset_s=60) as server:
        result = ask(server, nudges=4)
    assert result["steps"] == []
    assert 3 <= result["epoch_s"] - result["real_s"] + 1 <= 6  # four steps of a second


def test_a_large_offset_is_believed_the_second_time(ask):
    with TimeServer(offset_s=86400) as server:
        once = ask(server)
        twice = ask(server, times=2)
    assert (once["steps"], once["syncs"]) == ([], 0)
    assert [round(step / 10) for step in twice["steps"]] == [8640]


@pytest.mark.parametrize(
    ("spoil", "limit_ms"),
    [
        (lambda answer, _request: [], 400),
        (lambda answer, _request: [b"", answer[:40], bytes(48)], 400),
        (lambda answer, request: [request], 400),
        (lambda answer, _request: [b"\xe4" + answer[1:]], 60000),
        (lambda answer, _request: [answer[:40] + bytes(8)], 60000),
    ],
    ids=["silent", "short and forged", "echo", "not synchronised", "no time"],
)
def test_a_bad_server_and_the_next_one_stands_in(ask, spoil, limit_ms):
    with TimeServer(86400, spoil, limit_ms) as bad, TimeServer() as good:
        result = ask(bad, good)
        soon(lambda: bad.asked, "the question, which its thread may take late")
        assert (bad.asked, good.asked) == (1, 1)
    assert (result["known"], result["syncs"], result["steps"]) == ([True], 1, [])


def test_kiss_of_death(ask):
    with TimeServer(spoil=_kiss(b"DENY")) as denies, TimeServer(spoil=_kiss(b"RATE")) as busy:
        result = ask(denies, busy, times=3)
        assert (denies.asked, busy.asked) == (1, 3)
    assert (result["known"], result["refused"], result["syncs"]) == ([False] * 3, 4, 0)


def test_without_any_server_it_goes_on(ask):
    with TimeServer(limit_ms=400) as gone:
        pass
    assert ask(gone)["known"] == [False]
