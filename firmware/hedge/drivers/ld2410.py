"""Hi-Link HLK-LD2410 24 GHz presence radar on a UART.

    radar = LD2410(board.bus("uart", "uart0"))
    out = array.array("i", (0,) * 6)
    await radar.read_into(out)  # state, cm and energy % moving, cm and energy % still, cm detected

state is 0 for nobody, 1 moving, 2 still, 3 both.

Source: "DS" is the LD2410 serial communication protocol V1.02 (256000 baud, little endian, report
frame of basic target information, section 2.3). Second source of every byte: ESPHome
components/ld2410.

The radar reports ten times a second. In engineering mode its frames are longer and are skipped; a
power cycle ends that mode. It has no checksum: head, length, type, inner head and both tails must
fit.
"""

from micropython import const

from ..core.errors import SensorError
from .uart_sensor import UARTSensor

_GIVE_UP_MS = const(1000)
_FRAME_MS = const(100)


class LD2410(UARTSensor):
    """One radar alone on a UART; the UART object belongs to the caller."""

    NAME = "ld2410"
    BAUD = 256000
    HEAD = b"\xf4\xf3\xf2\xf1\x0d\x00\x02\xaa"

    def __init__(self, uart):
        UARTSensor.__init__(self, uart, 23, _GIVE_UP_MS)

    def _ask(self):
        return _FRAME_MS

    def _good(self):
        b = self._buf
        tail = b[17] == 0x55 and b[18] == 0x00
        return tail and b[19] == 0xF8 and b[20] == 0xF7 and b[21] == 0xF6 and b[22] == 0xF5

    def decode_into(self, data, out):
        """Write the 6 channels of a checked 23-byte frame into out."""
        if data[8] > 3 or data[11] > 100 or data[14] > 100:
            raise SensorError("ld2410: state %d, energy %d, %d" % (data[8], data[11], data[14]))
        out[0] = data[8]
        out[1] = data[10] << 8 | data[9]
        out[2] = data[11]
        out[3] = data[13] << 8 | data[12]
        out[4] = data[14]
        out[5] = data[16] << 8 | data[15]


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Hi-Link HLK-LD2410",
        "class": "LD2410",
        "kind": "sensor",
        "bus": "uart",
        "doc": "Hi-Link LD2410 presence radar on a UART, 256000 baud",
        "params": {},
        "channels": (
            ("state", "/", 1, 0, 3),
            ("moving", "m", 100, 0, 8),
            ("moving_energy", "%", 1, 0, 100),
            ("still", "m", 100, 0, 8),
            ("still_energy", "%", 1, 0, 100),
            ("detected", "m", 100, 0, 8),
        ),
        "resolution": (1, 0.01, 1, 0.01, 1, 0.01),
        "raw_bytes": 23,
        "first_ms": 120,
        "convert_ms": 120,
        "who_am_i": "",
        "datasheet": "Hi-Link LD2410 serial communication protocol V1.02",
        "checked_against": "ESPHome components/ld2410",
    }
