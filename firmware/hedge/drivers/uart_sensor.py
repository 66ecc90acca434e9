"""What the drivers of sensors on a UART share: ask, hunt for a whole and right frame, give up.

A driver subclasses UARTSensor, sets NAME, BAUD and HEAD (the bytes that begin each frame) and
fills in:

    _ask()        send a question if the sensor does not talk by itself; returns the ms until poll
                  is worth it
    _good()       whether the frame in self._buf has the right checksum, length, tail
    decode_into() write the channels of a good frame into out

A sensor whose frames have no fixed length overrides _take(byte) instead of HEAD and _good.
Bytes are looked at one by one: a poll takes what is there, never waits, and does not allocate
unless it raises. Noise, half frames and wrong checksums are skipped; the error comes after
give_up_ms without a good frame.
"""

from errno import ETIMEDOUT

from micropython import const

from ..core import clock
from ..core.errors import SensorError

_POLL_BYTES = const(600)  # at most that many in one poll: more than any port buffers


class UARTSensor:
    """One sensor alone on a UART; the UART object belongs to the caller."""

    NAME = "sensor"
    BAUD = 9600
    HEAD = b""
    POLL_MS = 10

    def __init__(self, uart, frame_bytes, give_up_ms):
        uart.init(baudrate=self.BAUD, bits=8, parity=None, stop=1)
        self._uart = uart
        self._buf = bytearray(frame_bytes)
        self._byte = bytearray(1)
        self._fill = 0
        self._give_up_ms = give_up_ms
        self._started_ms = 0
        self._running = False
        self._heard = 0  # bytes since start
        self._spoilt = 0  # frames with a wrong checksum since start

    async def read_into(self, out):
        """Wait for the next good frame and write its channels into out.

        Raises OSError(ETIMEDOUT) if nothing is heard, SensorError if nothing good is; out is left
        untouched. The coroutine is all that it allocates.
        """
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(self.POLL_MS)

    def start(self):
        """Forget what was heard before, ask; returns the ms until poll is worth it."""
        for _ in range(_POLL_BYTES):
            if not self._uart.any():
                break
            self._uart.readinto(self._byte)
        self._fill = self._heard = self._spoilt = 0
        self._started_ms = clock.ticks_ms()
        self._running = True
        return self._ask()

    def poll(self, out):
        """True once out is written, False while nothing good came; errors as read_into."""
        if not self._running:
            raise SensorError(self.NAME + ": poll without start")
        for _ in range(_POLL_BYTES):
            if not self._uart.any():
                break
            self._uart.readinto(self._byte)
            self._heard += 1
            if self._take(self._byte[0]):
                self._running = False  # also if the next line raises
                self.decode_into(self._buf, out)
                return True
        if clock.ticks_diff(clock.ticks_ms(), self._started_ms) >= self._give_up_ms:
            self._give_up()
        return False

    def _give_up(self):
        self._running = False
        if not self._heard:
            raise OSError(ETIMEDOUT)
        text = "%s: %d bytes, %d spoilt frames, none good"
        raise SensorError(text % (self.NAME, self._heard, self._spoilt))

    def _ask(self):
        return 0

    def _take(self, byte):
        """True if this byte completes a good frame."""
        head, fill = self.HEAD, self._fill
        if fill < len(head) and byte != head[fill]:
            fill = 0
            if byte != head[0]:
                self._fill = 0
                return False
        self._buf[fill] = byte
        self._fill = fill + 1
        if self._fill < len(self._buf):
            return False
        self._fill = 0
        if self._good():
            return True
        self._spoilt += 1
        return False

    def _good(self):
        return True
