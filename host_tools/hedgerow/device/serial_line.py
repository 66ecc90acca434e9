"""A serial port as a line to a board. Every fault says what to do about it."""

import time

import serial

from hedgerow.device.port_faults import why_closed
from hedgerow.errors import DeviceError

_POLL_S = 0.02
_WRITE_S = 5.0
_TAIL_BYTES = 200


class SerialLine:
    """with closing(SerialLine("/dev/ttyACM0")) as line: line.talk(b"\\x03", b">>> ", 2)

    Nobody else can open the port meanwhile. Raises DeviceError if it cannot be opened.
    """

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.port = port
        try:
            self._serial = serial.Serial(
                port, baud, timeout=_POLL_S, write_timeout=_WRITE_S, exclusive=True
            )
        except (OSError, ValueError) as error:
            raise DeviceError(why_closed(port) or f"{port}: does not open: {error}") from error

    def close(self) -> None:
        self._serial.close()

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Send, then receive until the answer ends with `until`; the whole answer.

        Raises DeviceError after timeout_s or when the board is unplugged.
        """
        deadline = time.monotonic() + timeout_s
        received = bytearray()
        try:
            self._serial.write(send)
            while not received.endswith(until):
                if time.monotonic() > deadline:
                    raise DeviceError(_silence(self.port, timeout_s, bytes(received)))
                received += self._serial.read(max(1, self._serial.in_waiting))
        except OSError as error:
            raise DeviceError(f"{self.port}: the line broke: is the board unplugged?") from error
        return bytes(received)

    def send(self, data: bytes) -> None:
        """Send what needs no answer, such as the command to leave; a line that breaks is fine."""
        try:
            self._serial.write(data)
            self._serial.flush()
        except OSError:
            return  # the board left while it was told to: what the caller wants


def _silence(port: str, timeout_s: float, received: bytes) -> str:
    said = f"; it said last: {received[-_TAIL_BYTES:]!r}" if received else ""
    return f"{port}: no answer within {timeout_s:g} s: press the board's reset button{said}"
