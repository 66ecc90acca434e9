"""What drivers of pulse sensors share: edges counted by an interrupt, contacts that bounce, rates.

The count goes on between reads, also while the node does something else; in deep sleep it does
not. A cut cable and a sensor at rest look the same: no pulses. The interrupt handler does not
allocate.
"""

from ..core import clock


class PulseCounter:
    """Falling edges on a pin with a pull-up; edges nearer than min_gap_ms count once."""

    WINDOW_MS = 1000  # shortest time a rate is taken over

    def __init__(self, pin, min_gap_ms=0):
        """pin: machine.Pin; made an input with its pull-up."""
        self.total = 0  # pulses since power-on
        self._min_gap_ms = min_gap_ms
        self._last_ms = clock.ticks_ms() - min_gap_ms
        self._mark = 0  # total at the last read
        self._mark_ms = clock.ticks_ms()
        pin.init(pin.IN, pin.PULL_UP)
        pin.irq(handler=self._on_edge, trigger=pin.IRQ_FALLING)

    async def read_into(self, out):
        """Write what happened since the last read into out; waits for a second of it at least."""
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(10)

    def start(self):
        """Returns the ms until there is enough to tell."""
        return max(self.WINDOW_MS - self._elapsed_ms(), 0)

    def poll(self, out):
        """True once out is written. Does not allocate."""
        elapsed_ms = self._elapsed_ms()
        if elapsed_ms < self.WINDOW_MS:
            return False
        total = self.total
        pulses = total - self._mark
        self._mark = total
        self._mark_ms = clock.ticks_ms()
        self._report(pulses, elapsed_ms, out)
        return True

    def _report(self, pulses, elapsed_ms, out):
        """Write the channels. pulses: since the last read, elapsed_ms ago."""
        out[0] = pulses

    def _elapsed_ms(self):
        return clock.ticks_diff(clock.ticks_ms(), self._mark_ms)

    def _on_edge(self, pin):
        now_ms = clock.ticks_ms()
        if clock.ticks_diff(now_ms, self._last_ms) >= self._min_gap_ms:
            self._last_ms = now_ms
            self.total += 1
            self._on_pulse(now_ms)

    def _on_pulse(self, now_ms):
        """For a driver that looks at single pulses; runs in the interrupt."""


def milli_hz(pulses, elapsed_ms):
    """Rate * 1000. Small ints for up to a million pulses in up to 17 minutes."""
    thousands, rest = pulses * 1000 // elapsed_ms, pulses * 1000 % elapsed_ms
    return thousands * 1000 + rest * 1000 // elapsed_ms
