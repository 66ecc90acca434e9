"""Microchip MCP3008, eight analog inputs of 10 bits over SPI.

    converter = MCP3008(board.bus("spi", ("spi0", 17)), vref_mv=3300)
    out = array.array("i", [0] * 8)
    await converter.read_into(out)  # mV of CH0 to CH7

Source: "DS" is Microchip DS21295D: start, SGL/DIFF and channel bits (DS table 5-2), transfers in
bytes and the null bit before the result (DS figure 6-1), code = 1024 * Vin / Vref (DS equation
4-2), clock at most 1.35 MHz at 2.7 V (DS page 2; 3.6 MHz at 5 V). Second source of the command
bits and of the distance from start bit to result: adafruit_mcp3xxx.py (the same frame, shifted by
7 bits).

A chip that is not there leaves MISO pulled up, and the null bit reads 1.
"""

from errno import ENODEV

from micropython import const

_START = const(0x01)
_SINGLE_ENDED = const(0x80)
_NULL_BIT = const(0x04)
_CHANNELS = const(8)


class MCP3008:
    """One converter. spi: hedge.more_buses.SPIDevice."""

    def __init__(self, spi, vref_mv=3300):
        self._spi = spi
        self._vref_mv = vref_mv
        self._out = bytearray((_START, 0, 0))
        self._in = bytearray(3)
        self._codes = bytearray(2 * _CHANNELS)

    async def read_into(self, out):
        """Write [mV, ...] of all eight inputs into out.

        Raises OSError(ENODEV), out untouched, if the chip does not answer.
        """
        self.poll(out)

    def start(self):
        """Nothing to start; returns the ms until poll is ready: 0."""
        return 0

    def poll(self, out):
        """Convert all inputs now; returns True. Errors as read_into. Does not allocate."""
        for channel in range(_CHANNELS):
            self._convert(channel)
        self.decode_into(self._codes, out)
        return True

    def decode_into(self, data, out):
        """data: eight codes, high byte first. Products stay below 2**30."""
        for channel in range(_CHANNELS):
            code = data[2 * channel] << 8 | data[2 * channel + 1]
            out[channel] = code * self._vref_mv + 512 >> 10

    def _convert(self, channel):
        self._out[1] = _SINGLE_ENDED | channel << 4
        self._spi.write_readinto(self._out, self._in)
        if self._in[1] & _NULL_BIT:
            raise OSError(ENODEV)
        self._codes[2 * channel] = self._in[1] & 3
        self._codes[2 * channel + 1] = self._in[2]


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Microchip MCP3008",
        "class": "MCP3008",
        "kind": "sensor",
        "bus": "spi",
        "doc": "Microchip MCP3008, eight analog inputs",
        "params": {
            "vref_mv": ("int", 3300, 250, 5500, "voltage at the VREF pin, mV"),
        },
        "channels": (
            ("ch0", "V", 1000, 0, 3.297),
            ("ch1", "V", 1000, 0, 3.297),
            ("ch2", "V", 1000, 0, 3.297),
            ("ch3", "V", 1000, 0, 3.297),
            ("ch4", "V", 1000, 0, 3.297),
            ("ch5", "V", 1000, 0, 3.297),
            ("ch6", "V", 1000, 0, 3.297),
            ("ch7", "V", 1000, 0, 3.297),
        ),
        "resolution": (0.0033, 0.0033, 0.0033, 0.0033, 0.0033, 0.0033, 0.0033, 0.0033),
        "raw_bytes": 24,
        "first_ms": 0,
        "convert_ms": 0,
        "max_hz": 1350000,
        "who_am_i": "",
        "datasheet": "Microchip DS21295D",
        "checked_against": "adafruit_mcp3xxx.py",
    }
