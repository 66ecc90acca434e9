"""Sensirion SCD30 CO2, temperature and humidity over I2C, measuring every 2 s.

    sensor = SCD30(board.i2c("i2c0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # ppm, centi-degC, centi-%RH

Source: "DS" is Sensirion's Interface Description SCD30, version 1.0, May 2020: commands (DS 1.4.1
to 1.4.10), read measurement with its example (DS 1.5: 439 ppm, 27.2 degC, 48.8 %RH), no repeated
start and 3 ms between writing and reading (DS 1.1), SCL at most 100 kHz, CRC (DS 1.1.3). Second
source of every command: adafruit_scd30.py; of the example: Adafruit_SCD30.cpp and two Rust
drivers.

The chip stretches the clock for 12 to 30 ms (150 ms once a day): RP2 and ESP32 wait 50 ms, so one
read a day may fail. A sample that lies ready is dropped and the next one awaited.
"""

from micropython import const

from ..core import clock
from ..core.errors import SensorError
from .float32 import scaled
from .i2c_sensor import I2CSensor

_CMD_START = b"\x00\x10\x00\x00\x81"  # no pressure compensation
_CMD_INTERVAL_2_S = b"\x46\x00\x00\x02\xe3"
_CMD_READY = b"\x02\x02"
_CMD_READ = b"\x03\x00"
_CMD_VERSION = b"\xd1\x00"
_CMD_RESET = b"\xd3\x04"

_BOOT_MS = const(2000)  # DS 1.1: less than 2 s
_TURN_MS = const(4)  # DS 1.1: 3 ms between write and read
_PERIOD_MS = const(2000)
_GIVE_UP_MS = const(6000)

_ASK = const(0)  # next: ask whether there is a sample
_HEAR = const(1)  # next: hear it
_READ = const(2)  # next: read the sample


class SCD30(I2CSensor):
    """out: [ppm, centi-degC, centi-%RH]."""

    NAME = "scd30"
    POLL_MS = 50

    def __init__(self, i2c):
        I2CSensor.__init__(self, i2c, 0x61, 18, _GIVE_UP_MS)
        self._answer = bytearray(3)
        self._phase = _ASK
        self._drop = False
        self._since_ms = 0

    def decode_into(self, data, out):
        """data: CO2, T and RH as floats, 6 bytes each with their CRCs."""
        self._check_words(data)
        co2, temp, humidity = scaled(data, 0, 1), scaled(data, 6, 100), scaled(data, 12, 100)
        self._check_range(co2, 0, 40000)
        self._check_range(temp, -4000, 7000)
        out[0] = co2
        out[1] = temp
        out[2] = min(max(humidity, 0), 10000)

    def _reset(self, step):
        if step == 0:
            self._command(_CMD_RESET)
            return _BOOT_MS
        if step == 1:
            self._command(_CMD_VERSION)
            return _TURN_MS
        if step == 2:
            self._hear()  # the firmware version; a chip of another kind has no CRC in it
            self._command(_CMD_INTERVAL_2_S)
            return _TURN_MS
        if step == 3:
            self._command(_CMD_START)
            return _PERIOD_MS
        return 0

    def _configure(self):
        self._drop = True  # reset keeps the mode: one from before it may lie ready

    def _trigger(self):
        self._phase = _ASK
        self._drop = True
        self._since_ms = clock.ticks_ms()
        return 0

    def _hear(self):
        self._i2c.readfrom_into(self._addr, self._answer)
        self._check_words(self._answer)

    def _collect(self, out):
        phase, self._phase = self._phase, _ASK
        if phase == _ASK:
            return self._say(_CMD_READY, _HEAR)
        if phase == _HEAR:
            self._hear()
            if self._answer[1]:
                return self._say(_CMD_READ, _READ)
            return self._not_yet()
        self._i2c.readfrom_into(self._addr, self._buf)
        if self._drop:
            self._drop = False
            return self._not_yet()
        self.decode_into(self._buf, out)
        return True

    def _say(self, command, phase):
        self._command(command)
        self._phase = phase
        return self._again(_TURN_MS)

    def _not_yet(self):
        self._drop = False  # what comes from now on is fresh
        if clock.ticks_diff(clock.ticks_ms(), self._since_ms) > _GIVE_UP_MS:
            raise SensorError("scd30: no sample in %d ms" % _GIVE_UP_MS)
        return self._again(self.POLL_MS)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Sensirion SCD30",
        "class": "SCD30",
        "kind": "sensor",
        "bus": "i2c",
        "doc": "Sensirion SCD30 CO2, air temperature and humidity",
        "params": {},
        "channels": (
            ("co2", "/", 1000000, 0, 0.04),
            ("temp", "Cel", 100, -40, 70),
            ("humidity", "%RH", 100, 0, 100),
        ),
        "resolution": (0.000001, 0.01, 0.01),
        "raw_bytes": 18,
        "first_ms": 6200,
        "convert_ms": 2100,
        "addrs": (0x61,),
        "max_hz": 100000,
        "who_am_i": "firmware version with its CRC",
        "datasheet": "Sensirion Interface Description SCD30, version 1.0, May 2020",
        "checked_against": "adafruit_scd30.py; Adafruit_SCD30.cpp",
    }
