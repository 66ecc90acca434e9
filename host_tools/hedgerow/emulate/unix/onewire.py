"""`onewire` for the Unix port: the interface of micropython-lib's onewire, on simulated chips.

A chip has: reset() -> bool, True for a presence pulse; write_bit(bit); read_bit() -> bit. The bus
is a wired AND: a 0 of any chip wins, and no chip means that the pull-up reads 1.
"""

from fake_machine import wiring
from fake_machine.pin import number_of
from onewire_bus import OneWireBus, OneWireError


class OneWire(OneWireBus):
    def __init__(self, pin):
        self.pin = pin
        self.pin.init(pin.OPEN_DRAIN, pin.PULL_UP, value=1)
        self._number = number_of(pin)

    def _chips(self):
        return wiring.onewire.get(self._number, ())

    def reset(self, required=False):
        """True if any chip answered with a presence pulse."""
        present = False
        for chip in self._chips():
            present = chip.reset() or present
        if required and not present:
            raise OneWireError
        return present

    def readbit(self):
        bit = 1
        for chip in self._chips():
            bit &= chip.read_bit()
        return bit

    def writebit(self, bit):
        for chip in self._chips():
            chip.write_bit(bit)
