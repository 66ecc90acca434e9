"""Plantower PMS5003 (PMS7003, PMSA003) particulate matter sensor on a UART.

    sensor = PMS5003(board.bus("uart", "uart0"))
    out = array.array("i", (0, 0, 0))
    await sensor.read_into(out)  # ug/m3 of PM1.0, PM2.5, PM10, atmospheric

Source: "DS" is the Plantower PMS5003 series data manual V2.3, 2016-06: frame of 32 bytes and
checksum (appendix I), commands (appendix II). Second source of every byte: ESPHome
components/pmsx003.

The sensor talks by itself, at least every 2.3 s. Its fan and laser last 3 years of running:
sleep() stops them; the next read wakes it, and DS asks for 30 s before the values count. The
particle counts in the frame are left out: they are made from the same measurement.
"""

from micropython import const

from ..core.errors import SensorError
from .uart_sensor import UARTSensor

_CMD_WAKE = b"\x42\x4d\xe4\x00\x01\x01\x74"
_CMD_ACTIVE = b"\x42\x4d\xe1\x00\x01\x01\x71"
_CMD_SLEEP = b"\x42\x4d\xe4\x00\x00\x01\x73"

_GIVE_UP_MS = const(5000)
_FRAME_MS = const(200)  # between two frames while the air changes
_HIGHEST = const(1000)


class PMS5003(UARTSensor):
    """One sensor alone on a UART; the UART object belongs to the caller."""

    NAME = "pms5003"
    HEAD = b"\x42\x4d\x00\x1c"
    POLL_MS = 20

    def __init__(self, uart):
        UARTSensor.__init__(self, uart, 32, _GIVE_UP_MS)

    def sleep(self):
        """Stop fan and laser until the next read."""
        self._uart.write(_CMD_SLEEP)

    def _ask(self):
        """Harmless if it is awake and active already; both commands are not answered in time."""
        self._uart.write(_CMD_WAKE)
        self._uart.write(_CMD_ACTIVE)
        return _FRAME_MS

    def _good(self):
        total = 0
        for i in range(30):
            total += self._buf[i]
        return total == self._buf[30] << 8 | self._buf[31]

    def decode_into(self, data, out):
        """Write [PM1.0, PM2.5, PM10] in ug/m3 of the 32 checked bytes into out."""
        for at in (10, 12, 14):
            if data[at] << 8 | data[at + 1] > _HIGHEST:
                raise SensorError("pms5003: more than %d ug/m3" % _HIGHEST)
        for i in range(3):
            out[i] = data[10 + 2 * i] << 8 | data[11 + 2 * i]


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Plantower PMS5003, PMS7003, PMSA003",
        "class": "PMS5003",
        "kind": "sensor",
        "bus": "uart",
        "doc": "Plantower PMS5003 particulate matter on a UART, 9600 baud",
        "params": {},
        "channels": (
            ("pm1", "ug/m3", 1, 0, 1000),
            ("pm2_5", "ug/m3", 1, 0, 1000),
            ("pm10", "ug/m3", 1, 0, 1000),
        ),
        "resolution": (1, 1, 1),
        "raw_bytes": 32,
        "first_ms": 2400,
        "convert_ms": 2400,
        "who_am_i": "",
        "datasheet": "Plantower PMS5003 series data manual V2.3, 2016-06",
        "checked_against": "ESPHome components/pmsx003",
    }
