"""What the drivers of probes on an ADC pin share: one voltage read, one channel given.

A driver subclasses ADCProbe, sets NAME and fills in `_value(mv)`, which may raise SensorError.
The drivers of the soil node do without it: a class more is heap more.
"""

from ..core.errors import SensorError
from .adc_mv import RAIL_MV, read_mv


class ADCProbe:
    """One probe; the ADC object belongs to the caller."""

    NAME = "probe"  # begins the text of every error
    LOWEST_MV = RAIL_MV  # less is a cut or shorted cable

    def __init__(self, adc, vref_mv):
        self._adc = adc
        self._vref_mv = vref_mv

    async def read_into(self, out):
        """Write [the channel] into out. Raises SensorError, out untouched, if it is no value."""
        self.poll(out)

    def start(self):
        """Nothing to start; returns the ms until poll is ready: 0."""
        return 0

    def poll(self, out):
        """Read now; returns True. Errors as read_into. Does not allocate unless it raises."""
        mv = read_mv(self._adc, self._vref_mv)
        if mv < self.LOWEST_MV or mv > self._vref_mv - RAIL_MV:
            raise SensorError("%s: %d mV: cut or shorted" % (self.NAME, mv))
        out[0] = self._value(mv)
        return True
