"""WS2812B (NeoPixel) light-emitting diodes in a row on one pin.

    leds = WS2812(board.bus("ws2812", 8), count=8, limit_ma=400)
    leds.set(0, 255, 160, 0)
    leds.show()

limit_ma is for all together: if the colours would draw more (20 mA a colour at 255, 1 mA at
rest), show() dims all alike. Feed them 5 V with 100 uF; the first one takes 3.3 V data near 0.7 *
5 V only by luck: a level shifter, or a diode in its supply. Not readable: nobody knows whether
they are there.

Source: "DS" is the Worldsemi WS2812B data sheet (400/850 and 800/450 ns within 150 ns, reset
above 50 us, green red blue with the most significant bit first); second source of times and
order: micropython-lib neopixel.py; of the 20 mA: Adafruit's NeoPixel Uberguide (60 mA a pixel in
white).
"""

from ..core.errors import ConfigError
from .relay import Relay

_COLOUR_MA = 20


class WS2812:
    """One row; the writer belongs to the caller. Dark until show()."""

    def __init__(self, writer, count=8, limit_ma=400):
        """writer: object with write(buf), see more_buses.py. Raises ConfigError."""
        if not 1 <= count <= 1000 or limit_ma <= count:
            raise ConfigError("ws2812: count %r, limit_ma %r" % (count, limit_ma))
        self._writer = writer
        self._count = count
        self._limit_ma = limit_ma
        self._colours = bytearray(3 * count)  # as set: green, red, blue
        self._sent = bytearray(3 * count)  # as shown

    def set(self, i, red, green, blue):
        """Colour of LED i from 0 on, each 0 to 255; visible after show(). Raises IndexError."""
        if not 0 <= i < self._count:
            raise IndexError(i)
        at = 3 * i
        self._colours[at] = green
        self._colours[at + 1] = red
        self._colours[at + 2] = blue

    def fill(self, red, green, blue):
        """One colour for all; visible after show()."""
        for i in range(self._count):
            self.set(i, red, green, blue)

    def show(self):
        """Send the colours, dimmed to limit_ma; returns the mA they draw. Does not allocate."""
        total = 0
        for value in self._colours:
            total += value
        wanted_ma = (total * _COLOUR_MA + 254) // 255
        granted_ma = min(wanted_ma, self._limit_ma - self._count)
        for i in range(len(self._sent)):
            value = self._colours[i]
            self._sent[i] = value if granted_ma == wanted_ma else value * granted_ma // wanted_ma
        self._writer.write(self._sent)
        return granted_ma + self._count

    def off(self):
        """All dark, at once; the colours are forgotten."""
        for i in range(len(self._colours)):
            self._colours[i] = 0
        self.show()


class _Light:
    """What Relay takes for its pin: a level becomes a colour of all LEDs."""

    OUT = 1

    def __init__(self, row, colour):
        self._row = row
        self._colour = colour

    def init(self, mode, value):
        self.value(value)

    def value(self, level):
        if level:
            self._row.fill(*self._colour)
            self._row.show()
        else:
            self._row.off()


class WS2812Switch(Relay):
    """Light of one colour while on, else dark. on(ms), off(), poll() as Relay."""

    def __init__(self, writer, red=255, green=255, blue=255, max_on_ms=600000, timer=None, **row):
        """row: keyword arguments of WS2812. Raises ConfigError."""
        self.row = WS2812(writer, **row)
        Relay.__init__(self, _Light(self.row, (red, green, blue)), True, max_on_ms, timer)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Worldsemi WS2812B",
        "class": "WS2812",
        "kind": "actuator",
        "bus": "ws2812",
        "doc": "WS2812B light-emitting diodes in a row, with a limit of their current",
        "params": {
            "count": ("int", 8, 1, 1000, "how many there are"),
            "limit_ma": ("int", 400, 2, 60000, "current of all together, mA"),
        },
        "switch": {
            "class": "WS2812Switch",
            "params": {
                "red": ("int", 255, 0, 255, "of the light while on"),
                "green": ("int", 255, 0, 255, "of the light while on"),
                "blue": ("int", 255, 0, 255, "of the light while on"),
                "max_on_ms": ("int", 600000, 100, 86400000, "longest time on, ms"),
            },
        },
        "channels": (("brightness", "/", 255, 0, 1),),
        "resolution": (0.0039,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Worldsemi WS2812B",
        "checked_against": "micropython-lib neopixel.py; Adafruit NeoPixel Uberguide",
    }
