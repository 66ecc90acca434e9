"""The serial line under serial_link: the console (USB or UART), or a UART of its own.

MicroPython only. Both streams offer what tcp.TcpStream does: `await readinto(buf)`,
`await write(data, limit_ms)`.

Reading never blocks. Writing to the console waits until it takes something, then hands over a
whole line, so that no log line gets into it: if the host stops reading in the midst of one, the
RP2 port blocks for 500 ms, once (MICROPY_HW_USB_CDC_TX_TIMEOUT of MicroPython 1.25).
"""

import asyncio
import select
import sys

from ..core.errors import LinkError

_io_queue = asyncio.core._io_queue  # as in tcp.py


def _readable(stream):
    yield _io_queue.queue_read(stream)


def _writable(stream):
    yield _io_queue.queue_write(stream)


class Console:
    """sys.stdin and sys.stdout, which the log and Ctrl-C share."""

    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._one = bytearray(1)

    async def readinto(self, buf):
        """At least one byte, what is there at most; 0 at the end of a pipe."""
        await _readable(sys.stdin)
        n = 0
        while n < len(buf) and (not n or self._is_waiting()):
            if not sys.stdin.buffer.readinto(self._one):  # reads no more than it is asked for
                break
            buf[n] = self._one[0]
            n += 1
        return n

    def _is_waiting(self):
        for _ in self._poll.ipoll(0):
            return True
        return False

    async def write(self, data, limit_ms):
        """asyncio.TimeoutError if nothing is taken for limit_ms, LinkError if half of it is."""
        await asyncio.wait_for_ms(_writable(sys.stdout), limit_ms)
        n = sys.stdout.buffer.write(data)
        if n != len(data):
            raise LinkError("serial: the host took %s of %d bytes" % (n, len(data)))


class Uart:
    """A machine.UART for this alone."""

    def __init__(self, uart, baud):
        uart.init(baudrate=baud, timeout=0)
        self._uart = uart

    async def readinto(self, buf):
        """At least one byte, what is there at most."""
        while True:
            await _readable(self._uart)
            n = self._uart.readinto(buf)
            if n:
                return n

    async def write(self, data, limit_ms):
        """asyncio.TimeoutError past limit_ms."""
        await asyncio.wait_for_ms(self._drain(memoryview(data)), limit_ms)

    async def _drain(self, rest):
        while len(rest):
            await _writable(self._uart)
            rest = rest[self._uart.write(rest) or 0 :]
