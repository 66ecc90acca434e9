"""Simulated Avia HX711 with a load cell: conversions, serial interface, gain pulses, power down.

    chip = HX711(now_ms)
    chip.attach(18, 19)  # DOUT, PD_SCK
    chip.mass_kg = 3.2

Written from the data sheet: DOUT is low while a conversion waits to be read, 24 bits with the
most significant first, one pulse more pulls DOUT high; 25, 26, 27 pulses choose A 128, B 32, A 64
for the next conversion. PD_SCK high longer than 60 us is power down; low again is a reset, and
the first conversion takes 400 ms, the others 100 ms. Where simulated time counts in ms only, a
high level that sees a ms pass is a power down. Second source: ESPHome components/hx711.

Faults: "overload" saturates; "dead" never has a conversion; "low" shorts DOUT to ground.
"""

from .chip import Chip

_POWER_DOWN_US = 60


class HX711(Chip):
    """Listens to PD_SCK, drives DOUT."""

    FAULTS = ("overload", "dead", "low")

    def __init__(self, now_ms, counts_per_kg=210000, offset=0):
        Chip.__init__(self)
        self._now_ms = now_ms
        self._now_us = lambda: now_ms() * 1000
        self._counts_per_kg = counts_per_kg
        self._offset = offset
        self.mass_kg = 0.0
        self._sck = 0
        self.power_on()

    def attach(self, dout, sck, machine=None):
        """machine: the bench, an emulated board; None: that of this process.

        Its now_ns(), if it has one, is the time that tells a clock pulse from a power down.
        """
        machine = machine or __import__("machine")
        now_ns = getattr(machine, "now_ns", None)
        if now_ns is not None:
            self._now_us = lambda: now_ns() // 1000
        machine.on_pin(sck, self.on_sck)
        machine.drive_pin(dout, self.dout)

    def power_on(self):
        self._ready_ms = self._now_ms() + 400
        self._pulses = 0  # of the conversion that is being read
        self._word = 0
        self._high_us = None
        self._gain = 128

    def raw(self):
        if self.fault == "overload":
            return 0x7FFFFF
        counts = int(self.mass_kg * self._counts_per_kg + self._offset + 1e8 + 0.5) - 10**8
        counts = counts * self._gain // 128
        return min(max(counts, -0x800000), 0x7FFFFF)

    def _waits(self):
        """Whether a conversion waits to be read."""
        ready = self.fault != "dead" and self._high_us is None
        return ready and self._now_ms() >= self._ready_ms

    def dout(self):
        """Level of DOUT now; None without a supply."""
        if self.fault == "low":
            return 0
        if not self.present:
            return None
        if self._pulses >= 25 and self._waits():
            self._pulses = 0
        if not self._pulses:
            return 0 if self._waits() else 1
        return self._word >> 24 - self._pulses & 1 if self._pulses <= 24 else 1

    def on_sck(self, level):
        level = level or 0
        if level == self._sck or not self.present:
            self._sck = level
            return
        self._sck = level
        if level:
            self._rise()
            self._high_us = self._now_us()
        else:
            powered_down = (
                self._high_us is not None and self._now_us() - self._high_us > _POWER_DOWN_US
            )
            self._high_us = None
            if powered_down:
                self.power_on()

    def _rise(self):
        if self._waits() and (not self._pulses or self._pulses >= 25):
            self._word = self.raw() & 0xFFFFFF
            self._pulses = 1
            self._ready_ms = self._now_ms() + 100
        elif self._pulses:
            self._pulses += 1
            if self._pulses >= 25:
                self._gain = {25: 128, 26: 32, 27: 64}.get(self._pulses, 128)
