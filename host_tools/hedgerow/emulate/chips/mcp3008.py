"""Simulated Microchip MCP3008: start bit, single-ended and differential inputs, null bit.

    chip = MCP3008(now_ms)
    machine.attach_spi(0, 17, chip)
    chip.ch0_mv, chip.ch1_mv = 1200.0, 0.0

Written from DS21295D: the chip waits for the first 1 after chip select, takes SGL/DIFF and three
channel bits, samples, sends a null bit and ten bits, MSB first (figures 5-1 and 6-1). Works bit
by bit, unlike the driver. With no chip, MISO is pulled up. Faults: "stuck" keeps the first sample
of each input.
"""

from .chip import Chip

_WAIT, _COMMAND, _SAMPLE, _SEND = range(4)


class MCP3008(Chip):
    FAULTS = ("stuck",)
    INPUTS = tuple(("ch%d_mv" % i, "ch%d" % i, 1000) for i in range(8))

    def __init__(self, now_ms, vref_mv=3300.0):
        Chip.__init__(self)
        self._vref_mv = vref_mv
        for i in range(8):
            setattr(self, "ch%d_mv" % i, 100.0 * i)
        self._kept = {}
        self.select()

    def select(self):
        self._state = _WAIT
        self._bits = 0
        self._count = 0

    def deselect(self):
        self._state = _WAIT

    def transfer(self, mosi):
        if not self.present:
            return 0xFF
        miso = 0
        for i in range(7, -1, -1):
            miso = miso << 1 | self._clock(mosi >> i & 1)
        return miso

    def _clock(self, bit):
        """One clock: MISO is high-impedance (pulled up) until the null bit."""
        if self._state == _WAIT:
            self._state = _COMMAND if bit else _WAIT
            return 1
        if self._state == _COMMAND:
            self._bits = self._bits << 1 | bit
            self._count += 1
            if self._count == 4:
                self._state = _SAMPLE
            return 1
        if self._state == _SAMPLE:
            self._state, self._count = _SEND, 11
            self._code = self._sample()
            return 1
        self._count -= 1
        return self._code >> self._count & 1 if 0 <= self._count < 10 else 0

    def _sample(self):
        channel = self._bits & 7
        mv = getattr(self, "ch%d_mv" % channel)
        if not self._bits & 8:  # differential: IN+ is the channel, IN- its neighbour
            mv -= getattr(self, "ch%d_mv" % (channel ^ 1))
        if self.fault == "stuck":
            mv = self._kept.setdefault(self._bits, mv)
        return min(max(int(mv * 1024 / self._vref_mv), 0), 1023)
