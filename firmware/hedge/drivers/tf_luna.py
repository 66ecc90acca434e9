"""Benewake TF-Luna laser distance sensor on a UART (pin 5 open), 0.2 to 8 m.

    lidar = TFLuna(board.bus("uart", "uart0"))
    out = array.array("i", (0,) * 3)
    await lidar.read_into(out)  # mm, signal strength, centi-degC of the chip

Source: "DS" is Benewake's product manual SJ-PM-TF-Luna A05: the 9-byte frame in cm, its default
(DS appendix I), 115200 baud and 100 frames a second, a distance is unreliable below a strength of
100 and at 65535 (DS 5.4), sum of the first eight bytes. Second source of frame, sum and
temperature: batuhancansiz/ESP-Projects (TF_Luna_Lidar_Sensor), sieuwe1/
Autonomous-Ai-drone-scripts (lidar_test.py).

The sensor may have been told to use another format or rate; it is left as it is. A sensor that is
set to mm is not told apart by its frames: its distances would be ten times too long.
"""

from micropython import const

from ..core.errors import SensorError
from .uart_sensor import UARTSensor

_GIVE_UP_MS = const(1000)
_FRAME_MS = const(10)
_WEAKEST = const(100)
_DAZZLED = const(0xFFFF)


class TFLuna(UARTSensor):
    """One sensor alone on a UART; the UART object belongs to the caller."""

    NAME = "tf_luna"
    BAUD = 115200
    HEAD = b"\x59\x59"
    POLL_MS = 5

    def __init__(self, uart):
        UARTSensor.__init__(self, uart, 9, _GIVE_UP_MS)

    def _ask(self):
        return _FRAME_MS

    def _good(self):
        total = 0
        for i in range(8):
            total += self._buf[i]
        return total & 0xFF == self._buf[8]

    def decode_into(self, data, out):
        """Write the 3 channels of a checked 9-byte frame into out; SensorError without an echo."""
        strength = data[5] << 8 | data[4]
        if strength < _WEAKEST or strength == _DAZZLED:
            raise SensorError("tf_luna: strength %d: nothing there, or too bright" % strength)
        out[0] = (data[3] << 8 | data[2]) * 10
        out[1] = strength
        # DS: degC = raw / 8 - 256
        out[2] = ((data[7] << 8 | data[6]) * 25 + 1) // 2 - 25600


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Benewake TF-Luna",
        "class": "TFLuna",
        "kind": "sensor",
        "bus": "uart",
        "doc": "Benewake TF-Luna laser distance on a UART, 115200 baud",
        "params": {},
        "channels": (
            ("distance", "m", 1000, 0, 8),
            ("strength", "count", 1, 100, 65534),
            ("temp", "Cel", 100, -20, 75),
        ),
        "resolution": (0.01, 1, 0.125),
        "raw_bytes": 9,
        "first_ms": 30,
        "convert_ms": 30,
        "who_am_i": "",
        "datasheet": "Benewake SJ-PM-TF-Luna A05",
        "checked_against": "batuhancansiz/ESP-Projects; sieuwe1/Autonomous-Ai-drone-scripts",
    }
