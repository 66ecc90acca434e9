"""Simulated 28BYJ-48: the rotor follows the field of its coils, if the field does not run away.

    chip = Stepper(now_ms)
    chip.attach(9, 10, 11, 12)
    chip.position
    chip.on_ms()  # how long any coil had current

The four coils stand 90 degrees of the field apart; the field's direction is their vector sum. The
rotor turns to it the short way; at an opposite field it stays, which is a lost step. Written from
that, not from a table of steps. A field that stands for less than 1 ms is not followed (data
sheet: 1000 Hz at most).
"""

from math import atan2, pi

from .chip import Chip

_X = (1, 0, -1, 0)
_Y = (0, 1, 0, -1)


class Stepper(Chip):
    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self._coils = [0, 0, 0, 0]
        self._changed_ms = now_ms()
        self._since_ms = None
        self._total_ms = 0
        self._position = 0
        self.lost = 0

    def attach(self, *pins, machine=None):
        """machine: the bench, an emulated board; None: that of this process."""
        machine = machine or __import__("machine")
        for i, pin in enumerate(pins):
            machine.on_pin(pin, lambda level, coil=i: self._on_coil(coil, level))

    def on_ms(self):
        running = 0 if self._since_ms is None else self._now_ms() - self._since_ms
        return self._total_ms + running

    def _on_coil(self, coil, level):
        self._settle()
        self._coils[coil] = level or 0
        self._changed_ms = self._now_ms()
        if any(self._coils) and self._since_ms is None:
            self._since_ms = self._now_ms()
        elif not any(self._coils) and self._since_ms is not None:
            self._total_ms = self.on_ms()
            self._since_ms = None

    @property
    def position(self):
        """Half steps that the rotor has turned."""
        self._settle()
        return self._position

    def _settle(self):
        """Follow the field, if it has stood for a millisecond: a rotor has mass."""
        if self._now_ms() == self._changed_ms:
            return
        x = sum([on * _X[i] for i, on in enumerate(self._coils)])
        y = sum([on * _Y[i] for i, on in enumerate(self._coils)])
        if not (x or y):
            return
        wanted = round(atan2(y, x) / (pi / 4))
        off = (wanted - self._position + 4) % 8 - 4
        if off == -4:
            self.lost += 1
        elif off:
            self._position += off
