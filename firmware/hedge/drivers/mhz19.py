"""Winsen MH-Z19B carbon dioxide sensor on a UART.

    sensor = MHZ19(board.bus("uart", "uart0"))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # out[0] ppm

Source: "DS" is the Winsen MH-Z19B user's manual version 1.0 (9600 baud, commands, checksum, the
example FF 86 02 20 00 00 00 00 58 of 544 ppm). Second source of every command and byte: ESPHome
components/mhz19.

The sensor takes 5 V and 150 mA peaks; its UART is 3.3 V. DS: 3 min of preheating before the value
counts, and self-calibration is on: it takes the lowest value of each day for 400 ppm, so turn it
off (self_calibrate(False)) where the air never is fresh.
"""

from micropython import const

from ..core.errors import SensorError
from .uart_sensor import UARTSensor

_CMD_READ = b"\xff\x01\x86\x00\x00\x00\x00\x00\x79"
_CMD_ABC_ON = b"\xff\x01\x79\xa0\x00\x00\x00\x00\xe6"
_CMD_ABC_OFF = b"\xff\x01\x79\x00\x00\x00\x00\x00\x86"

_ANSWER_MS = const(20)  # 9 bytes each way at 9600 baud
_GIVE_UP_MS = const(200)
_HIGHEST_PPM = const(10000)  # the widest of its ranges


class MHZ19(UARTSensor):
    """One sensor alone on a UART; the UART object belongs to the caller."""

    NAME = "mhz19"
    HEAD = b"\xff\x86"

    def __init__(self, uart):
        UARTSensor.__init__(self, uart, 9, _GIVE_UP_MS)

    def self_calibrate(self, on):
        """Turn the daily self-calibration on or off; the sensor does not answer and remembers."""
        self._uart.write(_CMD_ABC_ON if on else _CMD_ABC_OFF)

    def _ask(self):
        self._uart.write(_CMD_READ)
        return _ANSWER_MS

    def _good(self):
        total = 0
        for i in range(1, 9):  # DS: the checksum makes the sum of bytes 1 to 8 zero
            total += self._buf[i]
        return not total & 0xFF

    def decode_into(self, data, out):
        """Write [ppm] of the 9 checked bytes into out."""
        ppm = data[2] << 8 | data[3]
        if ppm > _HIGHEST_PPM:
            raise SensorError("mhz19: %d ppm is out of range" % ppm)
        out[0] = ppm


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Winsen MH-Z19B",
        "class": "MHZ19",
        "kind": "sensor",
        "bus": "uart",
        "doc": "Winsen MH-Z19B carbon dioxide on a UART, 9600 baud",
        "params": {},
        "channels": (("co2", "/", 1000000, 0, 0.01),),
        "resolution": (0.000001,),
        "raw_bytes": 9,
        "first_ms": 30,
        "convert_ms": 30,
        "who_am_i": "",
        "datasheet": "Winsen MH-Z19B user's manual version 1.0",
        "checked_against": "ESPHome components/mhz19",
    }
