"""The connection of hedge.net.tcp, on a network that is not there."""

import asyncio
import io
import unittest

from hedge.net import tcp


class FakeSocket(io.IOBase):
    """Connects at once; `calls` has what was asked of it."""

    def __init__(self, refuses):
        self.calls = []
        self._refuses = refuses

    def ioctl(self, request, flags):
        return flags if request == 3 else -1  # poll: ready for whatever it is asked

    def setblocking(self, on):
        self.calls.append(("setblocking", on))

    def setsockopt(self, *option):
        self.calls.append(option)
        if self._refuses:
            raise OSError(95)

    def connect(self, address):
        self.calls.append(("connect", address))

    def close(self):
        pass


class UnixNetwork:
    """The module `socket` as the Unix port has it: without names for TCP's options."""

    SOCK_STREAM = 1
    refuses = False

    def getaddrinfo(self, host, port, *more):
        return [(2, 1, 6, "", (host, port))]

    def socket(self, *kind):
        self.made = FakeSocket(self.refuses)
        return self.made


class LwipNetwork(UnixNetwork):
    """As on the Pico, whose number for TCP_NODELAY is that of lwIP's flag."""

    IPPROTO_TCP = 6
    TCP_NODELAY = 0x40


class PoorNetwork(UnixNetwork):
    """A network chip without that option."""

    refuses = True


def _calls(network):
    """What opening a connection asks of its socket."""
    real, tcp.socket = tcp.socket, network
    try:
        asyncio.run(tcp.Tcp("192.0.2.1", 1883).open())
    finally:
        tcp.socket = real
    return network.made.calls


class TestOpening(unittest.TestCase):
    def test_no_packet_waits_for_the_acknowledgement_of_the_last(self):
        for network, option in (
            (UnixNetwork(), (6, 1, 1)),
            (LwipNetwork(), (6, 0x40, 1)),
            (PoorNetwork(), (6, 1, 1)),
        ):
            connect = "connect", ("192.0.2.1", 1883)
            self.assertEqual(_calls(network), [("setblocking", False), option, connect])


if __name__ == "__main__":
    unittest.main()
