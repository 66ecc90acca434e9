"""A board's serial port: its raw REPL, and bytes past it. An adapter of mpremote's transport.

    with SerialLink("/dev/ttyACM0") as link:
        link.enter()  # stops the app; a fresh heap, boot.py has run
        print(link.run("print(1 + 1)"))
        link.restart()  # the app starts again

mpremote's classes are not documented as a library: the version is pinned in pyproject.toml, and
this file is the only one that knows them.
"""

import contextlib
import io
import struct
import time
from collections.abc import Iterator
from typing import Self

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from hedgerow.device.link_errors import (
    BoardError,
    GarbledLinkError,
    LinkLostError,
    NoReplError,
    PortError,
)
from hedgerow.device.port_faults import why_closed

_READ_S = 1.0  # of one read inside mpremote: a pty is only told apart from silence by waiting
_ENTER_S = 10.0
_ACK_S = 20.0  # a write that makes littlefs move blocks about
_START_S = 10.0
_INTERRUPTS = 3  # an app that catches one Ctrl-C may well end at the next


class SerialLink:
    """port: a device file, COM port or a URL of pyserial. Raises PortError naming the cause."""

    def __init__(self, port: str, *, baud: int = 115200) -> None:
        self.port = port
        try:
            self._transport = SerialTransport(port, baudrate=baud, timeout=_READ_S)
        except (TransportError, OSError, ValueError) as error:
            raise PortError(why_closed(port) or f"{port}: does not open: {error}") from error
        self._serial = self._transport.serial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back. A port that is gone is closed too."""
        try:
            self._transport.close()
        except OSError:
            self._serial.close()

    def enter(self, *, soft_reset: bool = True) -> None:
        """Stop what runs and enter the raw REPL. Raises NoReplError if none answers."""
        with self._faults_told():
            self._serial.reset_input_buffer()
            for attempt in range(_INTERRUPTS):
                try:
                    self._enter(soft_reset, _ENTER_S if attempt else _ENTER_S / 3)
                    return
                except TransportError:
                    self._serial.write(b"\r\x03\x03\x02")  # out of a half-received source
        raise NoReplError(
            f"{self.port}: no MicroPython raw REPL answers: press reset and try again at once; "
            "if that does not help, flash MicroPython with `hedgerow flash`"
        )

    def _enter(self, soft_reset: bool, timeout_s: float) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not expect
            self._transport.enter_raw_repl(soft_reset, timeout_overall=timeout_s)

    def run(self, source: str, timeout_s: float = 30.0) -> str:
        """What source prints. Raises BoardError if it raises."""
        with self._faults_told():
            printed, error = self._transport.exec_raw(source, timeout=timeout_s)
        if error:
            raise BoardError(self.port, _text(error))
        return _text(printed)

    def start(self, source: str) -> None:
        """Run source that then talks by send() and take_ack(), and ends with finish()."""
        with self._faults_told():
            self._transport.exec_raw_no_follow(source)

    def send(self, data: bytes) -> None:
        with self._faults_told():
            self._serial.write(data)

    def take_ack(self, timeout_s: float = _ACK_S) -> None:
        """Wait for the "+" of a frame. Raises BoardError, GarbledLinkError or LinkLostError."""
        with self._faults_told():
            answer = self._read_one(timeout_s)
        if answer == b"+":
            return
        if not answer:
            raise LinkLostError(f"{self.port}: the board stopped answering")
        with self._faults_told():
            rest = answer + self._transport.read_until(1, b"\x04>", timeout=_READ_S)
        raise self._not_acknowledged(rest)

    def _not_acknowledged(self, said: bytes) -> Exception:
        if not said.endswith(b"\x04>"):
            return GarbledLinkError(f"{self.port}: unexpected bytes on the line: {said[:60]!r}")
        error = BoardError(self.port, _text(said.strip(b"\x04>")))
        if error.kind in ("GarbledError", "KeyboardInterrupt", "ValueError", "UnicodeError"):
            return GarbledLinkError(f"{self.port}: the board received garbage: {error.kind}")
        return error

    def _read_one(self, timeout_s: float) -> bytes:
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            got: bytes = self._serial.read(1)
            if got:
                return got
        return b""

    def finish(self, timeout_s: float = _ACK_S) -> None:
        """The end of what start() began. Raises BoardError if it raised."""
        with self._faults_told():
            _, error = self._transport.follow(timeout_s)
        if error:
            raise BoardError(self.port, _text(error))

    def restart(self) -> str:
        """Leave the raw REPL, soft reset; what the supervisor said when the app started."""
        with self._faults_told():
            self._transport.exit_raw_repl()
            self._serial.write(b"\x04")
            self._transport.read_until(1, b"soft reboot\r\n", timeout_overall=_START_S)
            return self._started()

    def _started(self) -> str:
        said = b""
        while b"\nboot: " not in b"\n" + said or not said.endswith(b"\n"):
            line = self._transport.read_until(1, b"\n", timeout_overall=_START_S)
            said += line
            if not line.endswith(b"\n"):  # no supervisor: the prompt of the REPL ends no line
                break
        return _text(said.strip().splitlines()[-1]) if said.strip() else ""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, b"" if nothing did for timeout_s."""
        with self._faults_told():
            self._serial.timeout = timeout_s
            try:
                first: bytes = self._serial.read(1)
                return first + self._serial.read(self._serial.in_waiting) if first else b""
            finally:
                self._serial.timeout = _READ_S

    def hear(self, wait_s: float) -> bytes:
        """What arrives in that time, a Ctrl-C half way; b"" also from a board that has gone."""
        heard = b""
        try:
            for send in (b"", b"\x03"):
                self.send(send)
                end_s = time.monotonic() + wait_s / 2
                while (left_s := end_s - time.monotonic()) > 0:
                    heard += self.read(left_s)
        except LinkLostError:
            return heard
        return heard

    @contextlib.contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except TransportError as error:
            raise LinkLostError(f"{self.port}: the board stopped answering: {error}") from error
        except (
            OSError,
            struct.error,
            TypeError,
        ) as error:  # TypeError: pyserial, closed meanwhile
            raise LinkLostError(
                f"{self.port}: the connection was lost: check the cable ({error})"
            ) from error


def _text(received: bytes) -> str:
    return received.decode("utf-8", "replace").replace("\r\n", "\n")
