"""Avia HX711 24-bit converter of load cells, on two pins.

    scale = HX711(board.bus("pins", (18, 19)), counts_per_kg=210000)  # DOUT, PD_SCK
    out = array.array("i", (0,))
    await scale.read_into(out)  # out[0] g
    scale.tare()  # the last reading is zero from now on; offset tells the raw value to keep

Calibrate: tare the empty scale, put a known mass on it, counts_per_kg = (raw - offset) / kg.

Source: "DS" is the Avia Semiconductor HX711 data sheet: serial interface and gain pulses (table
3), timing (T3: 50 us at most), power down (60 us) and settling times (400 ms at 10 samples a
second). Second source: ESPHome components/hx711.

A clock pulse that lasted longer than the 50 us, because an interrupt came between, may have reset
the chip: that sample is thrown away. Not for use beside heavy interrupts.
"""

import time
from errno import ETIMEDOUT

from micropython import const

from ..core import clock
from ..core.errors import ConfigError, SensorError

_SETTLE_MS = const(400)
_SAMPLE_MS = const(100)
_GIVE_UP_MS = const(1000)
_POLL_MS = const(5)
_LONGEST_US = const(50)
_HIGHEST = const(0x7FFFFF)
_LOWEST = const(-0x800000)
_PULSES = {128: 1, 64: 3}  # after the 24 bits; 2 is channel B

_COLD = const(0)
_SETTLING = const(1)
_OLD = const(2)  # a sample from before the read may lie ready
_NEW = const(3)
_IDLE = const(4)


class HX711:
    """One converter, channel A; the pins belong to the caller."""

    def __init__(self, pins, counts_per_kg=210000, offset=0, gain=128, ticks_us=time.ticks_us):
        """pins: (DOUT, PD_SCK). gain: 128 or 64. Raises ConfigError."""
        if not 1 <= abs(counts_per_kg) <= 1000000 or gain not in _PULSES:
            raise ConfigError("hx711: counts_per_kg %r, gain %r" % (counts_per_kg, gain))
        self.offset = offset
        self.raw = offset  # of the last reading
        self._dout, self._sck = pins[0], pins[1]
        self._counts_per_kg = counts_per_kg
        self._gain_pulses = _PULSES[gain]
        self._ticks_us = ticks_us
        self._state = _COLD
        self._started_ms = 0
        self._wait_ms = 0
        self._dout.init(self._dout.IN, self._dout.PULL_UP)
        self._sck.init(self._sck.OUT, value=0)

    def tare(self):
        """What lies on the scale in the last reading is 0 g from now on."""
        self.offset = self.raw

    async def read_into(self, out):
        """Wait for the next sample and write [g] into out.

        Raises OSError(ETIMEDOUT) if the chip does not answer, SensorError if it is overloaded or
        out of step; out is left untouched and the next read begins with a reset.
        """
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(_POLL_MS)

    def start(self):
        """Begin; returns the ms until poll is worth it. A sample takes 100 ms, a reset 400 ms."""
        if self._state == _COLD:
            self._sck.value(1)  # DS: longer than 60 us powers the chip down
            return self._enter(_SETTLING, 1)
        return self._enter(_OLD, 0)

    def poll(self, out):
        """True once out is written, False while it converts; errors as read_into."""
        if self._state in (_COLD, _IDLE):
            raise SensorError("hx711: poll without start")
        elapsed_ms = clock.ticks_diff(clock.ticks_ms(), self._started_ms)
        if elapsed_ms < self._wait_ms:
            return False
        state, self._state = self._state, _COLD
        if state == _SETTLING:
            self._sck.value(0)
            self._enter(_OLD, _SETTLE_MS)
        elif self._dout.value():
            if elapsed_ms >= _GIVE_UP_MS:
                raise OSError(ETIMEDOUT)
            self._state = _NEW if state == _OLD else state
        elif not self._shift():
            self._enter(state, _SAMPLE_MS)
        elif state == _OLD:
            self._enter(_NEW, 0)
        else:
            self._finish(out)
            return True
        return False

    def _enter(self, state, wait_ms):
        self._state = state
        self._wait_ms = wait_ms
        self._started_ms = clock.ticks_ms()
        return wait_ms

    def _shift(self):
        """Clock 24 bits and the gain into self._word; False if a pulse was too long."""
        dout, sck, ticks_us = self._dout, self._sck, self._ticks_us
        word = 0
        longest_us = 0
        for bit in range(24 + self._gain_pulses):
            began_us = ticks_us()
            sck.value(1)
            if bit < 24:
                word = word << 1 | dout.value()
            sck.value(0)
            longest_us = max(longest_us, time.ticks_diff(ticks_us(), began_us))
        if longest_us > _LONGEST_US:
            return False
        if not dout.value():  # DS: the 25th pulse pulls DOUT high again
            raise SensorError("hx711: out of step")
        self._word = word
        return True

    def _finish(self, out):
        raw = self._word - 0x1000000 if self._word & 0x800000 else self._word
        if raw in (_HIGHEST, _LOWEST):
            raise SensorError("hx711: overloaded or not connected")
        out[0] = self.gram(raw)
        self.raw = raw
        self._state = _IDLE

    def gram(self, raw):
        """g of a raw value. Small ints throughout."""
        counts = self._counts_per_kg
        kg, rest = (raw - self.offset) // counts, (raw - self.offset) % counts
        return kg * 1000 + (rest * 1000 + counts // 2) // counts


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Avia HX711",
        "class": "HX711",
        "kind": "sensor",
        "bus": "pins",
        "pins": (
            ("dout", "input_pin", "DOUT of the module"),
            ("sck", "output_pin", "PD_SCK of the module"),
        ),
        "doc": "Avia HX711 converter of load cells on two pins (DOUT, PD_SCK)",
        "params": {
            "counts_per_kg": ("int", 210000, -1000000, 1000000, "raw counts of 1 kg"),
            "offset": ("int", 0, -8388608, 8388607, "raw value of the empty scale"),
            "gain": ("int", 128, 64, 128, "of channel A: 128 (20 mV) or 64 (40 mV)"),
        },
        "channels": (("mass", "kg", 1000, -39, 39),),
        "resolution": (0.001,),
        "raw_bytes": 3,
        "first_ms": 510,
        "convert_ms": 110,
        "who_am_i": "",
        "datasheet": "Avia Semiconductor HX711 data sheet",
        "checked_against": "ESPHome components/hx711",
    }
