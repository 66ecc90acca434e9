"""Microchip MCP23017 expander over I2C: sixteen pins, port A is 0 to 7, port B 8 to 15.

    expander = MCP23017(board.i2c("i2c0"), addr=0x20)
    expander.start(inputs=0xFF00, pull_ups=0xFF00)
    expander.write(0x0001)
    levels = expander.read()
    pump = Relay(expander.pin(0))

Source: "DS" is the MCP23017/MCP23S17 datasheet, DS20001952C, 2016: registers with IOCON.BANK = 0
(DS table 3-5), direction 0xFF at power-on (DS register 3-1), paired addresses. Second source of
registers, bits and defaults: Linux drivers/pinctrl/pinctrl-mcp23s08.c; of both register maps:
Microchip AN1043, table 1.

After a brown-out all pins are inputs: fit resistors that keep relays off then. read() notices it.
"""

from micropython import const

from ..core.errors import SensorError
from .expander_pin import ExpanderPin
from .i2c_sensor import write_all

# Pairs, port A first (BANK = 0).
_REG_DIRECTION = const(0x00)  # 1 is an input
_REG_INVERT = const(0x02)
_REG_PULL_UP = const(0x0C)
_REG_LEVEL = const(0x12)
_REG_LATCH = const(0x14)
_REG_IOCON_BANK1 = const(0x05)  # with BANK = 0 this is GPINTENB
_REG_IOCON = const(0x0A)


class MCP23017:
    """One chip on a bus the caller owns. Methods do not allocate unless they raise."""

    def __init__(self, i2c, addr=0x20):
        self._i2c = i2c
        self._addr = addr
        self._word = bytearray(2)
        self._out = bytearray(3)
        self._inputs = 0xFFFF
        self._pull_ups = 0
        self._latch = 0

    def start(self, inputs=0xFFFF, pull_ups=0, levels=0):
        """Set latch, pull-ups and directions in this order: outputs begin at levels. OSError."""
        self._inputs, self._pull_ups, self._latch = inputs, pull_ups, levels
        self.restore()

    def restore(self):
        """Write all settings again, e.g. after read() noticed a brown-out."""
        # Another program may have left BANK = 1; then 0x05 is IOCON. Else no interrupt is wanted.
        self._put_byte(_REG_IOCON_BANK1, 0)
        self._put_byte(_REG_IOCON, 0)
        self._put(_REG_LATCH, self._latch)
        self._put(_REG_INVERT, 0)
        self._put(_REG_PULL_UP, self._pull_ups)
        self._put(_REG_DIRECTION, self._inputs)

    def pin(self, n):
        """Pin n, 0 to 15, to be used like a machine.Pin."""
        return ExpanderPin(self, n)

    def write(self, levels):
        """Latch the levels of the outputs. OSError."""
        self._latch = levels
        self._put(_REG_LATCH, levels)

    def read(self):
        """Levels of all pins. OSError; SensorError if the directions are not what we set."""
        if self._get(_REG_DIRECTION) != self._inputs:
            raise SensorError("mcp23017: directions are lost: the supply failed")
        return self._get(_REG_LEVEL)

    def set_output(self, n, level):
        bit = 1 << n
        self.write(self._latch | bit if level else self._latch & ~bit)
        if self._inputs & bit:
            self._inputs &= ~bit
            self._put(_REG_DIRECTION, self._inputs)

    def set_input(self, n):
        self._inputs |= 1 << n
        self._put(_REG_DIRECTION, self._inputs)

    def input_level(self, n):
        return self.read() >> n & 1

    def _put(self, reg, value):
        out = self._out
        out[0], out[1], out[2] = reg, value & 0xFF, value >> 8 & 0xFF
        write_all(self._i2c, self._addr, out)

    def _put_byte(self, reg, value):
        self._word[0], self._word[1] = reg, value
        write_all(self._i2c, self._addr, self._word)

    def _get(self, reg):
        self._i2c.readfrom_mem_into(self._addr, reg, self._word)
        return self._word[0] | self._word[1] << 8


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Microchip MCP23017",
        "class": "MCP23017",
        "kind": "part",
        "program_only": "its pins are for code: a node file names pins of the board",
        "bus": "i2c",
        "doc": "Microchip MCP23017 expander: sixteen pins with pull-ups",
        "params": {
            "addr": ("int", 0x20, 0x20, 0x27, "I2C address: 32 (0x20) if A0 to A2 are low"),
        },
        "channels": (),
        "resolution": (),
        "raw_bytes": 4,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "Microchip DS20001952C, 2016",
        "checked_against": "Linux drivers/pinctrl/pinctrl-mcp23s08.c, Microchip AN1043",
    }
