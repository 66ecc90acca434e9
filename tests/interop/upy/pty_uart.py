"""A pseudo-terminal with the face of machine.UART, for the Unix port."""

import io
import select

_FILENO = 10  # MP_STREAM_GET_FILENO of py/stream.h: asyncio then polls the file itself


class PtyUart(io.IOBase):
    def __init__(self, path):
        self._file = open(path, "r+b")
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._one = bytearray(1)

    def init(self, **settings):
        self.settings = settings

    def ioctl(self, request, argument):
        return self._file.fileno() if request == _FILENO else -1

    def readinto(self, buf):
        """What is there: the file's own readinto waits until the buffer is full."""
        n = 0
        while n < len(buf) and self._poll.poll(0):
            if not self._file.readinto(self._one):
                break
            buf[n] = self._one[0]
            n += 1
        return n

    def write(self, data):
        return self._file.write(data)
