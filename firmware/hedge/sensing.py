"""Sensors of a node: read each one, keep going when one fails, know which are well.

From -> to (DESIGN.md): sensor -> filter. `read_all` fills the node's value vector in place with
ints in channel scale; a channel whose sensor failed is None. A sensor fails if its driver raises,
if a value lies outside the channel's range, or if it repeats itself for too long.
"""

import array

from .core import log
from .core.errors import SensorError


class Channel:
    """A place of the value vector. scale: int per real unit. low, high: limits as ints."""

    def __init__(self, name, unit, scale, low, high):
        self.name = name
        self.unit = unit
        self.scale = scale
        self.low = low
        self.high = high


class Sensor:
    """A driver and the state of its health.

    driver: has `async read_into(out)`. channels: list of Channel in the order of out. first: index
    of the first one in the value vector. raw_bytes: what one reading moves from the chip.
    """

    def __init__(self, name, driver, channels, first, raw_bytes=0, stuck_after=0):
        self.name = name
        self.channels = channels
        self.first = first
        self.raw_bytes = raw_bytes
        self.failures = 0  # in a row
        self.faults = 0  # since start
        self.healthy = True  # as last reported
        self.reason = ""  # of the last failure
        self._driver = driver
        self._out = array.array("i", [0] * len(channels))
        self._stuck = _stuck(stuck_after, len(channels)) if stuck_after else None

    async def read_into(self, values):
        """One reading into the value vector; True if it is good, else its channels are None."""
        try:
            await self._driver.read_into(self._out)
            self._check()
        except Exception as error:  # noqa: BLE001  anyone's driver: the other sensors go on
            self._fail(error, values)
            return False
        self.failures = 0
        for i in range(len(self._out)):
            values[self.first + i] = self._out[i]
        return True

    def _check(self):
        for i in range(len(self._out)):
            channel = self.channels[i]
            if not channel.low <= self._out[i] <= channel.high:
                raise SensorError("%s out of range: %d" % (channel.name, self._out[i]))
        if self._stuck and self._stuck.update(self._out):
            raise SensorError("stuck at %d" % self._out[0])

    def _fail(self, error, values):
        self.failures += 1
        self.faults += 1
        self.reason = str(error) if isinstance(error, SensorError) else repr(error)
        for i in range(len(self.channels)):
            values[self.first + i] = None


def _stuck(n, channels):
    from .dsp.stuck import Stuck  # not loaded where no sensor asks for it

    return Stuck(n, channels)


class Sensing:
    """All sensors of a node, read one after the other.

    unhealthy_after: failures in a row until `on_health(sensor)` is called; it is called again at
    the first good reading after that. The values of a failed reading are None from the first.
    """

    def __init__(self, unhealthy_after=3, on_health=None):
        self.sensors = []
        self.raw_bytes = 0  # of all good readings since start
        self.faults = 0  # failed readings since start
        self._unhealthy_after = unhealthy_after
        self._on_health = on_health

    async def read_all(self, values, good):
        """Fill values, and good[i] = 1 or 0 per sensor."""
        for i in range(len(self.sensors)):
            sensor = self.sensors[i]
            good[i] = int(await sensor.read_into(values))
            if good[i]:
                self.raw_bytes += sensor.raw_bytes
            else:
                self.faults += 1
            self._note_health(sensor)

    def _note_health(self, sensor):
        if sensor.failures == 1:
            log.warn("sensor", "%s: %s", sensor.name, sensor.reason)
        well = sensor.failures < (self._unhealthy_after if sensor.healthy else 1)
        if well == sensor.healthy:
            return
        sensor.healthy = well
        log.info("sensor", "%s is %s", sensor.name, "well again" if well else "unhealthy")
        if self._on_health:
            self._on_health(sensor)
