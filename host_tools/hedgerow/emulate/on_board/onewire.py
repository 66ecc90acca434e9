"""`onewire` for an emulated board whose image has only the C part, `_onewire`.

The images that are offered for download have micropython-lib's module of this name frozen in.
"""

import _onewire
from onewire_bus import OneWireBus, OneWireError


class OneWire(OneWireBus):
    def __init__(self, pin):
        self.pin = pin
        self.pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        """True if any chip answered with a presence pulse."""
        present = _onewire.reset(self.pin)
        if required and not present:
            raise OneWireError
        return present

    def readbit(self):
        return _onewire.readbit(self.pin)

    def writebit(self, bit):
        _onewire.writebit(self.pin, bit)
