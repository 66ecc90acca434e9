"""What I2C chips share that measure all the time: take away the old sample, wait for the next.

A driver subclasses FreeRunningSensor, gives the registers and times below and fills in _set_up();
those of motion chips with two ranges subclass IMU.
"""

from ..core.errors import ConfigError
from .i2c_sensor import I2CSensor, signed16


class FreeRunningSensor(I2CSensor):
    """Steps and errors as I2CSensor."""

    STATUS = 0  # register with the NEW bits, all of which mean a whole new sample
    NEW = 0
    DATA = 0  # first register of a sample; reading it clears the NEW bits
    SETTLE_MS = 0  # from the settings to the first sample worth reading
    SAMPLE_MS = 0

    def __init__(self, i2c, addr, answer_bytes, give_up_ms):
        I2CSensor.__init__(self, i2c, addr, answer_bytes, give_up_ms)
        self._settling = True

    def _configure(self):
        self._set_up()
        self._settling = True

    def _set_up(self):
        """who_am_i where _reset does not ask for it, and settings."""

    def _trigger(self):
        self._take_away()
        wait_ms = self.SETTLE_MS if self._settling else self.SAMPLE_MS
        self._settling = False
        return wait_ms

    def _take_away(self):
        self._i2c.readfrom_mem_into(self._addr, self.DATA, self._buf)

    def _collect(self, out):
        if self._read_byte(self.STATUS) & self.NEW != self.NEW:
            return False
        self._i2c.readfrom_mem_into(self._addr, self.DATA, self._buf)
        self.decode_into(self._buf, out)
        return True


class IMU(FreeRunningSensor):
    """Acceleration and rotation, 14 bytes; each range is twice the one before."""

    LOW_FIRST = True  # order of the bytes of a word

    def __init__(self, i2c, addr, range_g, range_dps, give_up_ms):
        """range_g: 2, 4, 8, 16. range_dps: 250, 500, 1000, 2000. Raises ConfigError."""
        self._accel_fs = self._index("range_g", range_g, (2, 4, 8, 16))
        self._gyro_fs = self._index("range_dps", range_dps, (250, 500, 1000, 2000))
        FreeRunningSensor.__init__(self, i2c, addr, 14, give_up_ms)

    def _index(self, name, value, known):
        if value not in known:
            raise ConfigError("%s: %s %r: one of %s" % (self.NAME, name, value, known))
        return known.index(value)

    def _word_at(self, data, at):
        first, second = data[at], data[at + 1]
        return signed16(second << 8 | first if self.LOW_FIRST else first << 8 | second)

    def _scale(self, data, at, factor, shift, out, to):
        """Three words from data[at], times factor / 2**shift, rounded, to out[to] and on."""
        for i in range(3):
            out[to + i] = self._word_at(data, at + 2 * i) * factor + (1 << shift - 1) >> shift
