"""Simulated hobby servo: follows the pulses on its pin at its own speed.

    chip = Servo(now_ms, lambda: machine.pwm_on(8))
    chip.angle_deg()  # where the arm is now

Written from the Tower Pro SG90 data sheet: 0.1 s per 60 degrees, 500 to 2400 us for 180 degrees,
mechanical stops at both ends. Without pulses (or at another rate than 40 to 60 Hz) it stays where
it is. Fault: "jammed" does not turn.
"""

from .chip import Chip

_DEG_PER_MS = 0.6


class Servo(Chip):
    FAULTS = ("jammed",)

    def __init__(self, now_ms, pwm):
        """pwm: function() giving the PWM that drives the pin, or None."""
        Chip.__init__(self)
        self._now_ms = now_ms
        self._pwm = pwm
        self._deg = 90.0
        self._seen_ms = now_ms()

    def pulse_us(self):
        """Length of the pulses on the pin, 0 without."""
        pwm = self._pwm()
        if pwm is None or not 40 <= pwm.freq() <= 60:
            return 0
        return pwm.duty_u16() / 65535 * 1e6 / pwm.freq()

    def angle_deg(self):
        """Angle of the arm; call it before the pulses change, too."""
        passed_ms, self._seen_ms = self._now_ms() - self._seen_ms, self._now_ms()
        us = self.pulse_us()
        if us and self.present and self.fault != "jammed":
            wanted = min(max((us - 500) / 1900 * 180, 0.0), 180.0)
            reach = passed_ms * _DEG_PER_MS
            self._deg += min(max(wanted - self._deg, -reach), reach)
        return self._deg
