"""Simulated machine.time_pulse_us: a chip says how long the pulse on its pin will be."""

from .pin import number_of

_sources = {}  # pin number -> function() giving us, or None if no pulse begins


def attach_pulse(pin, source):
    """source() is asked at each time_pulse_us on that pin; None takes it off."""
    _sources[number_of(pin)] = source


def clear():
    """Forget every source (between tests)."""
    _sources.clear()


def time_pulse_us(pin, level, timeout_us=1000000):
    """us of the next pulse; -2 if none begins in time, -1 if it does not end, as on the ports."""
    source = _sources.get(number_of(pin))
    us = source() if source else None
    if us is None:
        return -2
    return int(us) if us <= timeout_us else -1
