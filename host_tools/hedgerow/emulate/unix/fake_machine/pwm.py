"""Simulated PWM: remembers frequency and duty per pin; nothing toggles in real time."""

from .pin import number_of

_outputs = {}  # pin number -> PWM


class PWM:
    """machine.PWM(pin, freq=, duty_u16=)."""

    def __init__(self, pin, *, freq=None, duty_u16=None, duty_ns=None):
        self._pin = number_of(pin)
        self._freq_hz = 1000
        self._duty_u16 = 0
        _outputs[self._pin] = self
        if freq is not None:
            self.freq(freq)
        if duty_u16 is not None:
            self.duty_u16(duty_u16)
        if duty_ns is not None:
            self.duty_ns(duty_ns)

    def freq(self, hz=None):
        if hz is None:
            return self._freq_hz
        if not 8 <= hz <= 62500000:  # limits of RP2 at 125 MHz
            raise ValueError("freq out of range")
        self._freq_hz = hz
        return None

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty_u16
        self._duty_u16 = min(max(duty, 0), 65535)
        return None

    def duty_ns(self, ns=None):
        if ns is None:
            return self._duty_u16 * 1000000000 // (65535 * self._freq_hz)
        self.duty_u16(ns * self._freq_hz * 65535 // 1000000000)
        return None

    def deinit(self):
        _outputs.pop(self._pin, None)


def pwm_on(pin):
    """The PWM that drives a pin (what a simulated servo sees), or None."""
    return _outputs.get(pin)


def clear():
    """Stop every PWM (between tests)."""
    _outputs.clear()
