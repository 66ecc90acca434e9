"""Simulated SSD1306: control bytes, commands with arguments, three addressing modes, what is lit.

    chip = SSD1306(now_ms)
    machine.attach_i2c(0, 0x3C, chip)
    chip.lit(x, y)  # whether that pixel of the memory glows now

Written from the SSD1306 datasheet Rev 1.1 (8.1.5.2, 8.7, tables 9-1 and 10). Second source:
micropython-lib ssd1306.py. At power-on the memory holds noise, as it does. No scrolling, fading or
timing; the wiring of segments to columns is not drawn.
Faults: those of I2CChip.
"""

from .i2c_chip import I2CChip

_ARGUMENTS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1, 0xA3: 2,
    0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip


class SSD1306(I2CChip):
    def power_on(self):
        self.ram = bytearray((7 * i + 3) & 0xFF for i in range(1024))  # page by page
        self.on = self.inverted = self.all_on = self.pump = False
        self.contrast = 0x7F
        self.mode = 2  # page addressing
        self.columns, self.pages = (0, 127), (0, 7)
        self.column = self.page = 0
        self.settings = {}  # last argument of the other commands
        self._pending = []
        self._control = None

    def begin(self, reading):
        self._control = None

    def write(self, byte):
        if self.fault == "nack":
            return False
        if self._control is None:
            self._control = byte
            return True
        if self._control & 0x40:
            self._put(byte)
        else:
            self._take(byte)
        if self._control & 0x80:
            self._control = None  # Co: another control byte follows
        return True

    def read(self):
        return 0 if self.on else 0x40

    def lit(self, x, y):
        """A pixel at column x and line y of the memory."""
        if not (self.on and self.pump):
            return False
        bit = bool(self.ram[y // 8 * 128 + x] >> y % 8 & 1)
        return self.all_on or bit != self.inverted

    def _take(self, byte):
        self._pending.append(byte)
        if len(self._pending) > _ARGUMENTS.get(self._pending[0], 0):
            command, self._pending = self._pending, []
            self._execute(command[0], command[1:])

    def _execute(self, code, arguments):
        if code == 0x20:
            self.mode = arguments[0] & 3
        elif code == 0x21:
            self.columns = (arguments[0] & 0x7F, arguments[1] & 0x7F)
            self.column = self.columns[0]
        elif code == 0x22:
            self.pages = (arguments[0] & 7, arguments[1] & 7)
            self.page = self.pages[0]
        elif code == 0x81:
            self.contrast = arguments[0]
        elif code == 0x8D:
            self.pump = bool(arguments[0] & 4)
        elif code in (0xA4, 0xA5):
            self.all_on = code == 0xA5
        elif code in (0xA6, 0xA7):
            self.inverted = code == 0xA7
        elif code in (0xAE, 0xAF):
            self.on = code == 0xAF
        elif code < 0x20 or 0xB0 <= code <= 0xB7:
            self._page_mode(code)
        elif arguments:
            self.settings[code] = arguments[-1]
        else:
            self.settings[code & 0xF0] = code & 0x0F

    def _page_mode(self, code):
        """Column and page of page addressing."""
        if code >= 0xB0:
            self.page = code & 7
        elif code >= 0x10:
            self.column = self.column & 0x0F | (code & 7) << 4
        else:
            self.column = self.column & 0x70 | code

    def _put(self, byte):
        self.ram[self.page * 128 + self.column] = byte
        if self.mode == 2:
            self.column = (self.column + 1) % 128
        elif self.mode == 0:
            if self._next_column():
                self._next_page()
        elif self._next_page():
            self._next_column()

    def _next_column(self):
        wrapped = self.column == self.columns[1]
        self.column = self.columns[0] if wrapped else (self.column + 1) % 128
        return wrapped

    def _next_page(self):
        wrapped = self.page == self.pages[1]
        self.page = self.pages[0] if wrapped else (self.page + 1) % 8
        return wrapped
