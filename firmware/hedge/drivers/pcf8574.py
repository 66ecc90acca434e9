"""PCF8574 expander over I2C: eight pins that are input and weak high, or output low.

    expander = PCF8574(board.i2c("i2c0"), addr=0x20)
    expander.write(0b11111110)  # P0 low
    levels = expander.read()
    pump = Relay(expander.pin(0), active_high=False)

Source: "DS" is the TI PCF8574 datasheet, SCPS068J, March 2015: one byte each way, all high at
power-on, only a current source pulls up, addresses 0x20 to 0x27; PCF8574A, SCPS069D: 0x38 to 0x3F.
Second source: NXP PCF8574_PCF8574A Rev. 5, Linux drivers/gpio/gpio-pcf857x.c.

Use active-low relay boards: high is 0.1 mA only. After a brown-out the chip's pins are all high,
which is off; read() and write() notice that a pin we drive low is high.
"""

from ..core.errors import SensorError
from .expander_pin import ExpanderPin
from .i2c_sensor import write_all


class PCF8574:
    """One chip on a bus the caller owns. Methods do not allocate unless they raise."""

    def __init__(self, i2c, addr=0x20):
        self._i2c = i2c
        self._addr = addr
        self._byte = bytearray(1)
        self._latch = 0xFF

    def pin(self, n):
        """Pin n, 0 to 7, to be used like a machine.Pin."""
        return ExpanderPin(self, n)

    def write(self, levels):
        """Drive the pins whose bit is 0 low, let the others be high or inputs. OSError."""
        self._byte[0] = levels
        write_all(self._i2c, self._addr, self._byte)
        self._latch = levels

    def read(self):
        """Levels of all pins. OSError; SensorError if a pin that we drive low is high."""
        self._i2c.readfrom_into(self._addr, self._byte)
        levels = self._byte[0]
        lost = levels & ~self._latch
        if lost:
            raise SensorError("pcf8574: outputs 0x%02x are high: the supply failed" % lost)
        return levels

    def restore(self):
        """Write the outputs again, e.g. after read() noticed a brown-out."""
        self.write(self._latch)

    def set_output(self, n, level):
        bit = 1 << n
        self.write(self._latch | bit if level else self._latch & ~bit)

    def set_input(self, n):
        self.write(self._latch | 1 << n)

    def input_level(self, n):
        return self.read() >> n & 1


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI, NXP PCF8574, PCF8574A",
        "class": "PCF8574",
        "kind": "part",
        "program_only": "its pins are for code: a node file names pins of the board",
        "bus": "i2c",
        "doc": "PCF8574 expander: eight quasi-bidirectional pins",
        "params": {
            "addr": ("int", 0x20, 0x20, 0x3F, "I2C address: 32 to 39; PCF8574A: 56 to 63"),
        },
        "channels": (),
        "resolution": (),
        "raw_bytes": 1,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (32, 33, 34, 35, 36, 37, 38, 39, 56, 57, 58, 59, 60, 61, 62, 63),
        "max_hz": 100000,
        "who_am_i": "",
        "datasheet": "TI SCPS068J, 2015-03",
        "checked_against": "NXP PCF8574_PCF8574A Rev. 5, Linux drivers/gpio/gpio-pcf857x.c",
    }
