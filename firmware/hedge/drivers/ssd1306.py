"""SSD1306 OLED display over I2C, 128 x 64, 128 x 32 and narrower.

    display = SSD1306(board.i2c("i2c0"))
    display.start()
    canvas = framebuf.FrameBuffer(display.buffer, 128, 64, framebuf.MONO_VLSB)
    canvas.text("soil 31 %", 0, 0)
    display.show()

Source: "DS" is the Solomon Systech SSD1306 datasheet, Rev 1.1, April 2008: commands (DS table
9-1), control byte (DS 8.1.5.2), memory layout (DS 8.7), start with charge pump (application note
in it). Second source of commands and their order: micropython-lib ssd1306.py; of codes:
Adafruit_SSD1306.h.

The buffer lives here (1 KB at 128 x 64); each byte is eight pixels, the lowest bit on top. show()
sends all of it: 24 ms at 400 kHz. The chip cannot be asked over I2C whether it lost its supply:
call start() and show() again now and then.
"""

from ..core.errors import ConfigError
from .i2c_sensor import write_all

_COMMANDS = 0x00  # control byte: only commands follow
_DATA = 0x40  # control byte: only data follows

_INIT_1 = (
    b"\x00"  # _COMMANDS
    b"\xae"  # display off
    b"\x20\x00"  # horizontal addressing: column by column, page by page
    b"\x40\xa1"  # start line 0; column 127 is SEG0
    b"\xa8"  # multiplex ratio follows
)
_INIT_2 = b"\xc8\xd3\x00\xda"  # scan from the last COM, no offset, COM pins follow
_INIT_3 = (
    b"\xd5\x80\xd9\xf1\xdb\x30"  # clock, pre-charge and deselect level for the charge pump
    b"\x81\xff\xa4\xa6"  # contrast, show the memory, not inverted
    b"\x2e\x8d\x14"  # no scrolling, charge pump on
)


class SSD1306:
    """One display on a bus the caller owns. Methods do not allocate."""

    def __init__(self, i2c, addr=0x3C, width=128, height=64):
        """width: 8 to 128, centred; height: 16, 32, 48 or 64. Raises ConfigError."""
        if not 8 <= width <= 128 or width % 2 or height not in (16, 32, 48, 64):
            raise ConfigError("ssd1306: %d x %d" % (width, height))
        self._i2c = i2c
        self._addr = addr
        self._frame = bytearray(1 + width * height // 8)
        self._frame[0] = _DATA
        self.buffer = memoryview(self._frame)[1:]
        first = (128 - width) // 2
        self._window = bytes((_COMMANDS, 0x21, first, first + width - 1, 0x22, 0, height // 8 - 1))
        com_pins = b"\x02" if width > 2 * height else b"\x12"  # of 32 lines, of others
        self._init = _INIT_1 + bytes((height - 1,)) + _INIT_2 + com_pins + _INIT_3
        self._command = bytearray(3)

    def start(self):
        """Set up the chip; it lights up only after the buffer has replaced its noise. OSError."""
        write_all(self._i2c, self._addr, self._init)
        self.show()
        self.power(True)

    def show(self):
        """Send the buffer. OSError."""
        write_all(self._i2c, self._addr, self._window)
        write_all(self._i2c, self._addr, self._frame)

    def contrast(self, level):
        """level: 0 to 255. OSError."""
        self._send(0x81, level)

    def invert(self, on):
        """Dark on light. OSError."""
        self._send(0xA7 if on else 0xA6, 0xE3)  # E3: no operation

    def power(self, on):
        """Off: some microamperes, the memory is kept. OSError."""
        self._send(0xAF if on else 0xAE, 0xE3)

    def _send(self, first, second):
        self._command[1], self._command[2] = first, second
        write_all(self._i2c, self._addr, self._command)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Solomon Systech SSD1306",
        "class": "SSD1306",
        "kind": "part",
        "program_only": "somebody must draw on it",
        "bus": "i2c",
        "doc": "SSD1306 OLED display, 128 x 64, 128 x 32 and narrower",
        "params": {
            "addr": ("int", 0x3C, 0x3C, 0x3D, "I2C address: 60 (0x3C) or 61"),
            "width": ("int", 128, 8, 128, "columns, an even number"),
            "height": ("int", 64, 16, 64, "lines: 16, 32, 48 or 64"),
        },
        "channels": (),
        "resolution": (),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (0x3C, 0x3D),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "Solomon Systech SSD1306 Rev 1.1, 2008-04",
        "checked_against": "micropython-lib ssd1306.py, Adafruit_SSD1306.h",
    }
