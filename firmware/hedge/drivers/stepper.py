"""Geared stepper motor 28BYJ-48 on a ULN2003 board, four pins, half steps.

    motor = Stepper(board.bus("pins", (9, 10, 11, 12)))  # IN1 to IN4
    motor.move(1024)  # half steps; a quarter of a turn, negative turns back
    while motor.poll():
        await clock.sleep_ms(1)

poll() makes the steps that are due, at most one a call, so a busy program turns slower and loses
none. The coils are switched off at the end: the gear holds the shaft. position counts half steps
from where it stood at power-on. 4096 half steps are a turn by the data sheet; counted teeth give
4075.8.

Source: Kiatronics 28BYJ-48 data sheet (stride 5.625 deg / 64, eight-step sequence, 600 to 1000 Hz
no-load pull-in). Second source of the sequence and of 4096: yeyeto2788/MicroPythonScripts uln2003
README (also of the 4075.77 and of 500 half steps a second as the reliable speed) and
nilwes/28BYJ48.
"""

from micropython import const

from ..core import clock
from ..core.errors import ConfigError

# Coils IN1 (bit 0) to IN4 of the eight half steps.
_SEQUENCE = b"\x01\x03\x02\x06\x04\x0c\x08\x09"
_IDLE = const(0)


class Stepper:
    """One motor; the pins belong to the caller. Methods neither wait nor allocate."""

    def __init__(self, pins, step_ms=3):
        """All coils off. Raises ConfigError if step_ms is below 2 (500 half steps a second)."""
        if step_ms < 2:
            raise ConfigError("stepper: step_ms %r" % (step_ms,))
        self._pins = pins[:4]
        self._step_ms = step_ms
        self._left = 0
        self._stepped_ms = clock.ticks_ms()
        self.position = 0
        self._powered = False
        for pin in self._pins:
            pin.init(pin.OUT, value=0)

    def move(self, steps):
        """Turn by steps from now on, whatever was left before."""
        self._left = steps

    def stop(self):
        """Stop at once and switch the coils off."""
        self._left = 0
        self._coils(_IDLE)

    def poll(self):
        """Make the step that is due; True while there is something left to do."""
        if not self._left and not self._powered:
            return False
        now_ms = clock.ticks_ms()
        if clock.ticks_diff(now_ms, self._stepped_ms) < self._step_ms:
            return True
        self._stepped_ms = now_ms
        if not self._left:  # the last step has had its time, too
            self.stop()
            return False
        way = 1 if self._left > 0 else -1
        self._left -= way
        self.position += way
        self._coils(_SEQUENCE[self.position & 7])
        return True

    def _coils(self, mask):
        self._powered = mask != _IDLE
        for i in range(4):
            self._pins[i].value(mask >> i & 1)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "28BYJ-48 stepper with ULN2003",
        "class": "Stepper",
        "kind": "actuator",
        "program_only": "it needs a step every few ms; a node looks after actuators every 50",
        "bus": "pins",
        "pins": (
            ("in1", "output_pin", "IN1 of the ULN2003"),
            ("in2", "output_pin", "IN2 of the ULN2003"),
            ("in3", "output_pin", "IN3 of the ULN2003"),
            ("in4", "output_pin", "IN4 of the ULN2003"),
        ),
        "doc": "Geared stepper motor 28BYJ-48 on a ULN2003, half steps",
        "params": {
            "step_ms": ("int", 3, 2, 1000, "time of a half step, ms"),
        },
        "channels": (("angle", "rad", 1000, 0, 6.283),),
        "resolution": (0.00153,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Kiatronics 28BYJ-48",
        "checked_against": "yeyeto2788/MicroPythonScripts uln2003; nilwes/28BYJ48",
    }
