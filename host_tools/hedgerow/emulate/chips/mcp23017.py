"""Simulated Microchip MCP23017: both register maps, byte and sequential mode, pull-ups, polarity.

    chip = MCP23017(now_ms)
    machine.attach_i2c(0, 0x20, chip)
    chip.driven = {8: 1}  # what is outside drives pin 8 high; other pins are open
    chip.levels()

Written from DS20001952C (tables 3-1 to 3-5, registers 3-1 to 3-11) and AN1043. Second source:
Linux drivers/pinctrl/pinctrl-mcp23s08.c. An open pin without pull-up reads 0. No interrupts.
Faults: those of I2CChip.
"""

from .i2c_chip import RegisterChip

# Kinds of registers in the order of the map; IOCON is one register with two addresses.
_IODIR, _IPOL, _IOCON, _GPPU, _GPIO, _OLAT = 0, 1, 5, 6, 9, 10
_KINDS = 11


class MCP23017(RegisterChip):
    driven = {}

    def power_on(self):
        RegisterChip.power_on(self)
        self.ports = [[0] * _KINDS, [0] * _KINDS]
        self.ports[0][_IODIR] = self.ports[1][_IODIR] = 0xFF
        self.iocon = 0

    def _where(self, reg):
        """(port, kind) of an address in the present map; None for a hole."""
        if self.iocon & 0x80:
            return (reg >> 4, reg & 15) if reg < 0x20 and reg & 15 < _KINDS else None
        return (reg & 1, reg >> 1) if reg < 2 * _KINDS else None

    def after(self, reg):
        if self.iocon & 0x20:  # byte mode: the address stays, or toggles between A and B
            return reg if self.iocon & 0x80 else reg ^ 1
        return reg + 1 if reg < (0x1A if self.iocon & 0x80 else 0x15) else 0

    def load(self, reg):
        where = self._where(reg)
        if where is None:
            return 0
        port, kind = where
        if kind == _IOCON:
            return self.iocon
        if kind == _GPIO:
            return (self.levels() >> 8 * port & 0xFF) ^ self.ports[port][_IPOL]
        return self.ports[port][kind]

    def store(self, reg, value):
        where = self._where(reg)
        if where is None:
            return
        port, kind = where
        if kind == _IOCON:
            self.iocon = value & 0xFE
        elif kind in (_GPIO, _OLAT):
            self.ports[port][_OLAT] = value  # a write to GPIO goes to the latch
        elif kind not in (7, 8):  # INTF and INTCAP are read-only
            self.ports[port][kind] = value

    def word(self, kind):
        return self.ports[0][kind] | self.ports[1][kind] << 8

    def levels(self):
        """What the sixteen pins are at."""
        inputs = self.word(_IODIR)
        outside = self.word(_GPPU)
        for n, level in self.driven.items():
            outside = outside | 1 << n if level else outside & ~(1 << n)
        return self.word(_OLAT) & ~inputs | outside & inputs
