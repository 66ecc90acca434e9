"""Simulated chips on a UART: frames that take their time on the line, and lines that are bad.

A chip queues bytes with `say`; they come out one after the other at its baud. `hear` gets what the
board sent; a chip that talks by itself sets `period_ms` and `frame()`.

Faults: "silent" sends nothing; "crc" flips a bit in each frame; "noise" puts rubbish before each
frame; "cut" loses the second half of each frame; "slow" talks at half its speed, so the
board hears rubbish.
"""

from .chip import Chip


class UARTChip(Chip):
    """Interface of fake_machine/uart.py: baud, take, write."""

    FAULTS = ("silent", "crc", "noise", "cut", "slow")
    BAUD = 9600
    CRC_AT = 4  # byte of a frame in which the fault "crc" flips a bit

    period_ms = None

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.power_on()

    def power_on(self):
        self._line = []  # (time it is there, byte)
        self._free_ms = 0  # end of the last byte
        self._next_ms = self._now_ms() + (self.period_ms or 0)

    @property
    def baud(self):
        return self.BAUD // 2 if self.fault == "slow" else self.BAUD

    def frame(self):
        """Bytes that the chip sends each period, b"" for none."""
        return b""

    def hear(self, data):
        """What one write of the board brings."""

    def say(self, data, at_ms):
        """Queue a frame."""
        if self.fault == "silent":
            return
        data = bytearray(data)
        if self.fault == "crc" and len(data) > self.CRC_AT:
            data[self.CRC_AT] ^= 1
        if self.fault == "noise":
            data = bytearray(b"\x00\xff\x42\xf4\xff\x24") + data
        if self.fault == "cut":
            data = data[: len(data) // 2]
        begin_ms = max(at_ms, self._free_ms)
        for i, byte in enumerate(data):
            self._free_ms = begin_ms + (i + 1) * 10000 / self.BAUD
            self._line.append((self._free_ms, byte))

    def take(self):
        now_ms = self._now_ms()
        if not self.present or self.fault == "silent":
            self._line = []
            return b""
        while self.period_ms and self._next_ms <= now_ms:
            self.say(self.frame(), self._next_ms)
            self._next_ms += self.period_ms
        ready = bytes([byte for at_ms, byte in self._line if at_ms <= now_ms])
        self._line = self._line[len(ready) :]
        return ready

    def write(self, data):
        if self.present:
            self.hear(data)
