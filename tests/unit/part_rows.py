"""Rows of the battery of parts, see part_battery.py; the emulated Pico runs their `use` too."""


def _use_mcp23017(part):
    part.start(0xFF00, 0xFF00, 0x0005)
    part.write(0x0006)


def _use_pca9685(part):
    part.start()
    part.set_duty(3, 1024)
    part.set_pulse_us(15, 1500)


def _use_tca9548a(part):
    part.forget()
    part.select(5)


def _use_ssd1306(part):
    part.buffer[0] = 0x81  # column 0, lines 0 and 7
    part.buffer[1023] = 0x80  # column 127, line 63
    part.start()
    part.contrast(7)


def _right_ssd1306(chip):
    lit = [(x, y) for x in (0, 1, 126, 127) for y in (0, 1, 7, 62, 63) if chip.lit(x, y)]
    return lit == [(0, 0), (0, 7), (127, 63)] and chip.contrast == 7


ROWS = (
    {
        "driver": "pcf8574",
        "use": lambda part: part.write(0b10100101),
        "right": lambda chip: chip.latch == 0b10100101,
        "lost": lambda part: part.read(),
    },
    {
        "driver": "mcp23017",
        "use": _use_mcp23017,
        "right": lambda chip: chip.levels() == 0xFF06 and chip.word(0) == 0xFF00,
        "lost": lambda part: part.read(),
    },
    {
        "driver": "pca9685",
        "use": _use_pca9685,
        "right": lambda chip: chip.share(3) == 0.25 and abs(chip.high_us(15) - 1500) < 5,
        "lost": lambda part: part.check(),
    },
    {
        "driver": "tca9548a",
        "use": _use_tca9548a,
        "right": lambda chip: chip.connected == 0x20,
        "lost": None,
    },
    {
        "driver": "ssd1306",
        "use": _use_ssd1306,
        "right": _right_ssd1306,
        "lost": None,
    },
)
