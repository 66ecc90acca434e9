"""Simulated machine.bitstream: bytes as pulses of four given lengths, to a chip on the pin."""

from .pin import number_of

_chips = {}  # pin number -> chip with receive(pulses)


def attach_bitstream(pin, chip):
    """chip.receive([(high ns, low ns), ...]) gets each stream on that pin."""
    _chips[number_of(pin)] = chip


def clear():
    """Take every chip off (between tests)."""
    _chips.clear()


def bitstream(pin, encoding, timing, data):
    """timing: (high 0, low 0, high 1, low 1) in ns; encoding 0, as on the ports."""
    if encoding != 0:
        raise ValueError("encoding %r" % (encoding,))
    high_0, low_0, high_1, low_1 = timing
    chip = _chips.get(number_of(pin))
    if chip is not None:
        pulses = []
        for byte in data:
            for bit in range(7, -1, -1):
                pulses.append((high_1, low_1) if byte >> bit & 1 else (high_0, low_0))
        chip.receive(pulses)
