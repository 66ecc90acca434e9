"""Simulated HC-SR04: trigger pulse in, echo pulse out.

    chip = HCSR04(now_ms)
    chip.attach(18, 19)  # trigger, echo
    chip.distance_m, chip.temp_c = 1.25, 20.0

Written from the ElecFreaks data sheet. A trigger within 60 ms of the last one meets its echo: the
answer is half as long. Without an obstacle (distance_m None) the echo lasts 38 ms. The speed of
sound is that of an ideal gas, sqrt(1.4 R T / M), not the driver's straight line. Fault: "deaf"
hears no echo.
"""

from math import sqrt

from .chip import Chip

_M_KG_PER_MOL = 0.0289647
_R_J_PER_MOL_K = 8.314462618


class HCSR04(Chip):
    """Listens to the trigger; its answer is asked for by machine.time_pulse_us."""

    FAULTS = ("deaf",)

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.distance_m = 1.0
        self.temp_c = 20.0
        self._last_ms = None
        self._trigger = None
        self._answer_us = None

    def attach(self, trigger, echo, machine=None):
        """machine: the bench, an emulated board; None: that of this process."""
        machine = machine or __import__("machine")
        machine.on_pin(trigger, self.on_trigger)
        machine.attach_pulse(echo, self.pulse_us)

    def on_trigger(self, level):
        falling = self._trigger == 1 and level == 0
        self._trigger = level
        if falling and self.present:  # the end of the pulse sends the burst
            self._answer_us = self._echo_us()
            self._last_ms = self._now_ms()

    def _echo_us(self):
        if self.distance_m is None or self.fault == "deaf":
            return 38000
        speed = sqrt(1.4 * _R_J_PER_MOL_K * (self.temp_c + 273.15) / _M_KG_PER_MOL)
        us = 2 * self.distance_m / speed * 1e6
        early = self._last_ms is not None and self._now_ms() - self._last_ms < 60
        return us / 2 if early else us

    def pulse_us(self):
        """Length of the answer to the last trigger, once."""
        us, self._answer_us = self._answer_us, None
        return us
