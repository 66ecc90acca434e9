"""Simulated row of WS2812B: bits by their length, each takes its 24 and passes on the rest.

    chip = WS2812(count=8)
    machine.attach_bitstream(8, chip)
    chip.colours  # [(red, green, blue), ...] as they shine

Written from the Worldsemi WS2812B data sheet: a bit is told by the length of its high level
within 150 ns, its low level has the same tolerance; green, red, blue, most significant bit first.
What has other times is not understood; the last low level may be as long as a reset. A LED that
gets fewer than 24 bits keeps its colour.
"""

from .chip import Chip

_T0H, _T0L, _T1H, _T1L = 400, 850, 800, 450
_TOLERANCE_NS = 150
_RESET_NS = 50000


class WS2812(Chip):
    """Receiver for machine.bitstream."""

    def __init__(self, count=8):
        Chip.__init__(self)
        self._count = count
        self.power_on()

    def power_on(self):
        self.colours = [(0, 0, 0)] * self._count

    def current_ma(self):
        return sum([sum(colour) for colour in self.colours]) * 20 / 255 + self._count

    def receive(self, pulses):
        """pulses: (high ns, low ns) of each bit, then a reset."""
        if not self.present:
            return
        bits = []
        for high_ns, low_ns in pulses:
            bit = self._bit(high_ns, low_ns)
            if bit is None:
                return
            bits.append(bit)
        for i in range(min(len(bits) // 24, self._count)):
            word = 0
            for bit in bits[24 * i : 24 * i + 24]:
                word = word << 1 | bit
            self.colours[i] = (word >> 8 & 0xFF, word >> 16, word & 0xFF)

    @staticmethod
    def _bit(high_ns, low_ns):
        for bit, high, low in ((0, _T0H, _T0L), (1, _T1H, _T1L)):
            low_is_right = abs(low_ns - low) <= _TOLERANCE_NS or low_ns >= _RESET_NS
            if abs(high_ns - high) <= _TOLERANCE_NS and low_is_right:
                return bit
        return None
