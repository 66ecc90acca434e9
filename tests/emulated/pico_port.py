"""The emulated Pico behind a pty, served by a thread, with a line that can be cut and garbled."""

import contextlib
import os
import threading

from hedgerow.emulate.console import serve
from hedgerow.emulate.endpoints import Pty
from hedgerow.emulate.pico.chip import PicoChip, PowerCut
from hedgerow.emulate.pico.machine import PicoMachine


class Unplugged(Exception):
    """Ends the serving thread."""


class PicoPort:
    """A Pico at the port `address`. Keeps its flash through unplug() and plug_in().

    blank: the flash of a board with nothing but its firmware.

    After unplug_after(n), the nth byte to the board from now is the last that gets there.
    """

    def __init__(self, link, region_kb=0):
        self._link = link
        self.chip = PicoChip(region_kb=region_kb)
        self._machine = PicoMachine(self.chip)  # one for good: the chip's time goes on
        self.blank = self.chip.flash()
        self.address = str(link)
        self.power_cut = None
        self._thread = None
        self.plug_in()

    def plug_in(self):
        self._join()
        self._left = None
        self.to_board = 0
        self.power_cut = None
        self._wake, self._wake_end = os.pipe()
        self._stopping = False
        self._pty = Pty(self._link)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self):
        """The port goes away; the board has no power."""
        self._stopping = True
        os.write(self._wake_end, b"x")
        self._join()

    def unplug_after(self, n_bytes):
        self._left = n_bytes

    def garble(self, data):
        """Bytes that reach the board as if the host had sent them."""
        self._garbage = data

    _garbage = b""

    def _serve(self):
        try:
            serve(self._machine, [self])
        except Unplugged:
            self._power_off()
        except PowerCut as cut:
            self._power_off()
            self.power_cut = cut.operation

    def _power_off(self):
        self._pty.close()
        self.chip.cut_power_at(None)
        self.chip.reset()

    def _join(self):
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            os.close(self._wake)
            os.close(self._wake_end)

    def wait_for_power_cut(self):
        """The flash operation at which chip.cut_power_at() took the power, None if it did not."""
        self._thread.join(120)
        return self.power_cut

    @property
    def plugged_in(self):
        return self._thread is not None and self._thread.is_alive()

    def close(self):
        if self.plugged_in:
            self.unplug()
        self._join()
        self.chip.close()

    # Endpoint of console.serve

    is_full = False

    def filenos(self):
        return [*self._pty.filenos(), self._wake]

    def receive(self):
        if self._stopping:
            raise Unplugged
        data = self._pty.receive()
        if self._left is not None:
            if len(data) >= self._left:
                raise Unplugged
            self._left -= len(data)
        if data and self._garbage:
            data, self._garbage = self._garbage + data, b""
        self.to_board += len(data)
        return data

    def send(self, data):
        self._pty.send(data)


@contextlib.contextmanager
def pico_port(folder):
    """A Pico with nothing but its firmware."""
    with contextlib.closing(PicoPort(folder / "pico")) as port:
        yield port
