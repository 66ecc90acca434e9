"""PIR motion detector (HC-SR501, AM312 and alike) on a pin.

    pir = PIR(board.bus("input_pin", 13))
    out = array.array("i", (0, 0))
    await pir.read_into(out)  # 1 if there is or was motion since the last read; detections so far

The output is high for some seconds after motion; an interrupt catches what happens between two
reads. For the first minute after power-on the HC-SR501 gives false detections: reads fail with
that word until settle_ms are over. A cut cable reads as no motion (the pin has a pull-down).

Source: HC-SR501 data sheet (high 3.3 V, "initialization" 1 min, with up to 3 false outputs);
second source of the minute: Adafruit's "PIR motion sensor" guide (30 to 60 s).
"""

from ..core import clock
from ..core.errors import SensorError


class PIR:
    """One detector; the pin object belongs to the caller."""

    def __init__(self, pin, settle_ms=60000):
        """pin: machine.Pin; made an input with its pull-down."""
        self.total = 0  # detections since power-on, those while it settled left out
        self._mark = 0
        self._settle_ms = settle_ms
        self._begun_ms = clock.ticks_ms()
        self._settled = settle_ms <= 0
        self._pin = pin
        pin.init(pin.IN, pin.PULL_DOWN)
        pin.irq(handler=self._on_edge, trigger=pin.IRQ_RISING)

    async def read_into(self, out):
        """Write [motion 0 or 1, detections] into out. Raises SensorError while it settles."""
        self.poll(out)

    def start(self):
        """Nothing to start; returns the ms until poll is ready: 0."""
        return 0

    def poll(self, out):
        """Read now; returns True. Errors as read_into. Does not allocate unless it raises."""
        if not self._ready():
            raise SensorError("pir: settles, %d ms" % self._settle_ms)
        total = self.total
        out[0] = 1 if total != self._mark or self._pin.value() else 0
        out[1] = total
        self._mark = total
        return True

    def _ready(self):
        if not self._settled:
            self._settled = clock.ticks_diff(clock.ticks_ms(), self._begun_ms) >= self._settle_ms
        return self._settled

    def _on_edge(self, pin):
        if self._ready():
            self.total += 1


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "PIR detector, HC-SR501, AM312",
        "class": "PIR",
        "kind": "sensor",
        "bus": "input_pin",
        "doc": "PIR motion detector: motion since the last read, detections since power-on",
        "params": {
            "settle_ms": ("int", 60000, 0, 600000, "time after power-on without readings, ms"),
        },
        "channels": (("motion", "/", 1, 0, 1), ("detections", "count", 1, 0, 1000000)),
        "resolution": (1, 1),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "HC-SR501",
        "checked_against": "Adafruit PIR motion sensor guide",
    }
