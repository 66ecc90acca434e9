"""Simulated SPI controller: full duplex, one chip per chip-select pin.

A chip has: select(), transfer(mosi_byte) -> miso byte, deselect(). It is selected when the board
drives its CS pin low and deselected when CS rises. With no chip selected MISO reads 0xFF (pulled
up).
"""

from .pin import number_of, on_pin

_slots = {}  # bus id -> [_Slot, ...]


class _Slot:
    """One chip and whether its CS is low now."""

    def __init__(self, cs_pin, chip):
        self.chip = chip
        self.selected = False
        on_pin(number_of(cs_pin), self._on_cs)

    def _on_cs(self, level):
        selected = level == 0
        if selected != self.selected:
            self.selected = selected
            if selected:
                self.chip.select()
            else:
                self.chip.deselect()


def attach_spi(bus_id, cs_pin, chip):
    """Put chip on SPI(bus_id), selected while cs_pin is driven low."""
    _slots.setdefault(bus_id, []).append(_Slot(cs_pin, chip))


def clear():
    """Take every chip off (between tests; pins are cleared apart)."""
    _slots.clear()


class SPI:
    """machine.SPI(id, baudrate, polarity=, phase=, sck=, mosi=, miso=)."""

    MSB, LSB = 0, 1

    def __init__(self, id=0, baudrate=1000000, *, polarity=0, phase=0, bits=8, firstbit=0, **pins):
        if bits != 8 or firstbit != SPI.MSB:
            raise ValueError("only 8 bits, MSB first")
        for name in pins:
            if name not in ("sck", "mosi", "miso"):
                raise TypeError("unknown argument %s" % name)
            number_of(pins[name])
        self._id = id

    def _transfer(self, mosi):
        miso = 0xFF
        for slot in _slots.get(self._id, ()):
            if slot.selected:
                miso &= slot.chip.transfer(mosi)
        return miso

    def write(self, buf):
        for byte in buf:
            self._transfer(byte)

    def readinto(self, buf, write=0):
        for i in range(len(buf)):
            buf[i] = self._transfer(write)

    def read(self, nbytes, write=0):
        buf = bytearray(nbytes)
        self.readinto(buf, write)
        return bytes(buf)

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        for i in range(len(write_buf)):
            read_buf[i] = self._transfer(write_buf[i])

    def deinit(self):
        pass
