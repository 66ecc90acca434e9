"""NXP PCA9685 over I2C: sixteen PWM outputs of 12 bits, for servos, LEDs and dimmers.

    pwm = PCA9685(board.i2c("i2c0"), freq_hz=50)
    pwm.start()  # all outputs off
    pwm.set_pulse_us(0, 1500)  # a servo's middle
    pwm.set_duty(1, 2048)  # half

Source: "DS" is the PCA9685 datasheet, Rev. 3, 2 September 2010: registers (DS table 3), full on
and full off (DS 7.3.3), prescaler (DS 7.3.5: 25 MHz, at least 3, only in sleep; 200 Hz is 0x1E).
Second source of registers and bits: Adafruit_PWMServoDriver.h, Linux drivers/pwm/pwm-pca9685.c.

The oscillator is within some percent of 25 MHz only, so are frequency and pulses. After a
brown-out the chip sleeps with all outputs off; check() notices it. Each set_* is one transfer and
takes effect at its end.
"""

from micropython import const

from ..core.errors import ConfigError, SensorError
from .i2c_sensor import write_all

_REG_MODE1 = const(0x00)
_REG_MODE2 = const(0x01)
_REG_FIRST = const(0x06)  # on low, on high, off low, off high of output 0; the next follow
_REG_ALL_OFF_HIGH = const(0xFD)
_REG_PRESCALE = const(0xFE)

_MODE1_SLEEP = const(0x10)
_MODE1_COUNT_UP = const(0x20)  # AI; no all-call address
_MODE2_TOTEM = const(0x04)  # OUTDRV, changes at the end of a transfer
_FULL = const(0x10)
_CLOCK_HZ = const(25000000)


class PCA9685:
    """One chip on a bus the caller owns. Methods do not allocate unless they raise."""

    def __init__(self, i2c, addr=0x40, freq_hz=50):
        """freq_hz: 24 to 1526, of all outputs. Raises ConfigError."""
        if not 24 <= freq_hz <= 1526:
            raise ConfigError("pca9685: freq_hz %d: 24 to 1526" % freq_hz)
        self._i2c = i2c
        self._addr = addr
        self._prescale = (_CLOCK_HZ + 2048 * freq_hz) // (4096 * freq_hz) - 1
        self._byte = bytearray(1)
        self._pair = bytearray(2)
        self._counts = bytearray(5)

    def start(self):
        """All outputs off, then the frequency. Call it again after a brown-out. OSError."""
        self._put(_REG_MODE1, _MODE1_SLEEP | _MODE1_COUNT_UP)  # the prescaler needs sleep
        self._put(_REG_ALL_OFF_HIGH, _FULL)
        self._put(_REG_PRESCALE, self._prescale)
        self._put(_REG_MODE2, _MODE2_TOTEM)
        self._put(_REG_MODE1, _MODE1_COUNT_UP)

    def set_duty(self, n, duty):
        """Output n, 0 to 15; duty: 0 (off) to 4096 (always on). ValueError, OSError."""
        if not (0 <= n <= 15 and 0 <= duty <= 4096):
            raise ValueError("output %d, duty %d" % (n, duty))
        counts = self._counts
        counts[0] = _REG_FIRST + 4 * n
        counts[1] = 0
        counts[2] = _FULL if duty == 4096 else 0
        counts[3] = duty & 0xFF
        counts[4] = _FULL if duty == 0 else duty >> 8 & 0x0F
        write_all(self._i2c, self._addr, counts)

    def set_pulse_us(self, n, pulse_us):
        """High for pulse_us in each period, at most the whole period. ValueError, OSError."""
        self.set_duty(n, min(pulse_us * 25 // (self._prescale + 1), 4096))

    def check(self):
        """SensorError if the chip lost its settings since start(); OSError."""
        for reg, expected in ((_REG_MODE1, _MODE1_COUNT_UP), (_REG_PRESCALE, self._prescale)):
            self._i2c.readfrom_mem_into(self._addr, reg, self._byte)
            if self._byte[0] & 0x7F != expected:
                raise SensorError("pca9685: settings are lost: the supply failed")

    def _put(self, reg, value):
        self._pair[0], self._pair[1] = reg, value
        write_all(self._i2c, self._addr, self._pair)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "NXP PCA9685",
        "class": "PCA9685",
        "kind": "part",
        "program_only": "its outputs are for code: a node file names pins of the board",
        "bus": "i2c",
        "doc": "NXP PCA9685: sixteen PWM outputs for servos, LEDs and dimmers",
        "params": {
            "addr": ("int", 0x40, 0x40, 0x47, "I2C address: 64 (0x40) if A0 to A5 are low"),
            "freq_hz": ("int", 50, 24, 1526, "frequency of all outputs"),
        },
        "channels": (),
        "resolution": (),
        "raw_bytes": 4,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (64, 65, 66, 67, 68, 69, 70, 71),
        "max_hz": 1000000,
        "who_am_i": "",
        "datasheet": "NXP PCA9685 Rev. 3, 2010-09-02",
        "checked_against": "Adafruit_PWMServoDriver.h, Linux drivers/pwm/pwm-pca9685.c",
    }
