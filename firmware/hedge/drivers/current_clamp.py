"""Current transformer clamp (SCT-013 and alike) on an ADC pin: true RMS of mains current.

    clamp = CurrentClamp(board.adc(26), ma_per_v=30000)  # SCT-013-030: 30 A give 1 V
    out = array.array("i", (0,))
    await clamp.read_into(out)  # out[0] mA RMS

Wiring: one end of the clamp to the pin, the other to the middle of two equal resistors between
3.3 V and ground with 10 uF over the lower one. A clamp without a burden resistor of its own
(SCT-013-000, 100 A : 50 mA) needs one across it: ma_per_v = 2000 * 1000 / ohm. Never open an
unburdened clamp on a live wire.

200 samples, one a millisecond: ten periods of 50 Hz, twelve of 60 Hz. Harmonics above 500 Hz
alias but still count, as RMS sums powers. Taken between other tasks: 1 ms of jitter changes
nothing as long as the current is steady over 0.2 s. Noise of the ADC shows as a floor: 2 mV RMS
are 60 mA here.

Sources: YHDC SCT-013 data sheet (30 A : 1 V); second source of ratio and circuit:
OpenEnergyMonitor, "CT sensors - interfacing with an Arduino" and emonLib's Irms.
"""

from micropython import const

from ..core import clock
from ..core.errors import ConfigError, SensorError
from .adc_mv import RAIL_MV

_SAMPLES = const(200)


class CurrentClamp:
    """One clamp; the ADC object belongs to the caller."""

    def __init__(self, adc, ma_per_v=30000, vref_mv=3300):
        """Raises ConfigError if ma_per_v is not 100 to 500000."""
        if not 100 <= ma_per_v <= 500000:
            raise ConfigError("current_clamp: ma_per_v %r: 100 to 500000" % (ma_per_v,))
        self._adc = adc
        self._ma_per_v = ma_per_v
        self._vref_mv = vref_mv
        self._middle_mv = vref_mv // 2
        self._left = 0
        self._sum = 0
        self._squares = 0
        self._last_ms = 0

    async def read_into(self, out):
        """Sample for 0.2 s and write [mA RMS] into out.

        Raises SensorError, out untouched, if the pin is not biased to the middle of the supply or
        touches a rail: cut, shorted, or too much current for the burden.
        """
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(1)

    def start(self):
        """Begin a new sum; returns the ms until the first poll: 1."""
        self._left = _SAMPLES
        self._sum = self._squares = 0
        self._last_ms = clock.ticks_ms()
        return 1

    def poll(self, out):
        """Take one sample, at most one a ms; True once out is written. Does not allocate."""
        if not self._left:
            raise SensorError("current_clamp: poll without start")
        now_ms = clock.ticks_ms()
        if now_ms == self._last_ms:
            return False
        self._last_ms = now_ms
        self._add(self._sample_mv())
        if self._left:
            return False
        out[0] = self._ma()
        return True

    def _sample_mv(self):
        if hasattr(self._adc, "read_uv"):
            return (self._adc.read_uv() + 500) // 1000
        return (self._adc.read_u16() * self._vref_mv + 32768) // 65536

    def _add(self, mv):
        if mv < RAIL_MV or mv > self._vref_mv - RAIL_MV:
            self._left = 0
            raise SensorError("current_clamp: %d mV: cut, shorted or too much current" % mv)
        # Sums of deviations stay below 2**30: 200 * 1650**2.
        deviation = mv - self._middle_mv
        self._sum += deviation
        self._squares += deviation * deviation
        self._left -= 1

    def _ma(self):
        mean, rest = self._sum // _SAMPLES, self._sum % _SAMPLES
        if abs(mean) > self._vref_mv // 8:
            raise SensorError("current_clamp: middle at %d mV" % (self._middle_mv + mean))
        # Mean square in (0.1 mV)**2 is the sum of squares / 200 * 100.
        # sum**2 / n without the square of the sum: it would not be a small int.
        square_of_sum = mean * mean * _SAMPLES + 2 * mean * rest + rest * rest // _SAMPLES
        rms_tenth_mv = isqrt((self._squares - square_of_sum) // 2)
        return rms_tenth_mv * (self._ma_per_v // 10) // 1000


def isqrt(value):
    """Integer square root, rounded down, by Newton. Does not allocate for small ints."""
    root = value
    better = (root + 1) // 2
    while better < root:
        root = better
        better = (root + value // root) // 2
    return root


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "current transformer, SCT-013",
        "class": "CurrentClamp",
        "kind": "sensor",
        "bus": "adc",
        "doc": "Current clamp (SCT-013) on an ADC pin, true RMS of mains current",
        "params": {
            "ma_per_v": ("int", 30000, 100, 500000, "primary mA at 1 V RMS across the burden"),
            "vref_mv": ("int", 3300, 1000, 5500, "ADC full scale and supply of the bias, mV"),
        },
        "channels": (("current", "A", 1000, 0, 30),),
        "resolution": (0.003,),
        "raw_bytes": 400,
        "first_ms": 201,
        "convert_ms": 201,
        "who_am_i": "",
        "datasheet": "YHDC SCT-013 (SCT-013-030: 30 A : 1 V)",
        "checked_against": "OpenEnergyMonitor, CT sensors; emonLib",
    }
