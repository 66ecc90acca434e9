"""Simulated UARTs: bytes to and from a chip, at its speed or as garbage.

A chip has: baud; take() -> bytes that it has sent since the last call; write(data), what the board
sent. If the speeds differ each side hears other bytes. What the board does not read in time is
lost once the receive buffer is full, as on the ports.
"""

from .pin import number_of

_chips = {}  # UART id -> chip
_GARBLE = 0x5A


def attach_uart(uart_id, chip):
    """Connect a chip to UART(uart_id), e.g. 0 or "uart0"; None takes it off."""
    key = int(uart_id[4:]) if isinstance(uart_id, str) else uart_id
    _chips[key] = chip


def clear():
    """Take every chip off (between tests)."""
    _chips.clear()


class UART:
    """machine.UART(id, baudrate, tx=, rx=, rxbuf=): any, read, readinto, readline, write."""

    def __init__(
        self, id, baudrate=9600, bits=8, parity=None, stop=1, *, tx=None, rx=None, rxbuf=256
    ):
        if id not in (0, 1, 2):
            raise ValueError("UART(%r) doesn't exist" % (id,))
        for pin in (tx, rx):
            if pin is not None:
                number_of(pin)
        self._id = id
        self._rxbuf_bytes = rxbuf
        self._received = bytearray()
        self.init(baudrate, bits, parity, stop)

    def init(self, baudrate=9600, bits=8, parity=None, stop=1, **more):
        if not 300 <= baudrate <= 5000000:
            raise ValueError("UART baudrate %r" % (baudrate,))
        self.baudrate = baudrate

    def _heard(self, data, chip):
        same = getattr(chip, "baud", self.baudrate) == self.baudrate
        return data if same else bytes([byte ^ _GARBLE for byte in data])

    def _pull(self):
        chip = _chips.get(self._id)
        if chip is not None:
            room = self._rxbuf_bytes - len(self._received)
            self._received += self._heard(chip.take(), chip)[:room]

    def any(self):
        self._pull()
        return len(self._received)

    def read(self, nbytes=None):
        """Up to nbytes that are there, None if there are none."""
        self._pull()
        count = len(self._received) if nbytes is None else min(nbytes, len(self._received))
        data = bytes(self._received[:count])
        self._received = self._received[count:]
        return data or None

    def readinto(self, buf, nbytes=None):
        data = self.read(len(buf) if nbytes is None else min(nbytes, len(buf)))
        if data is None:
            return None
        for i in range(len(data)):
            buf[i] = data[i]
        return len(data)

    def readline(self):
        self._pull()
        end = self._received.find(b"\n")
        return self.read(end + 1 if end >= 0 else None)

    def write(self, buf):
        chip = _chips.get(self._id)
        if chip is not None:
            chip.write(self._heard(bytes(buf), chip))
        return len(buf)

    def flush(self):
        pass  # everything has left already

    def txdone(self):
        return True

    def deinit(self):
        pass
