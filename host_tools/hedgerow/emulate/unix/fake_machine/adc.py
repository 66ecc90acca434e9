"""Simulated ADC: 12 bits scaled to 16 as on RP2, clamped at ground and at the reference."""

from . import wiring
from .pin import number_of

_FULL = 4095  # 12-bit converter
_OPEN = (None, 0)  # a pin that nothing is connected to

vref_mv = 3300
_noise_state = 1


def set_vref_mv(mv):
    """Full-scale voltage of every ADC pin of this board."""
    global vref_mv
    vref_mv = mv


def _noise_mv(peak):
    """Next value in [-peak, peak] of a fixed pseudo-random sequence (Park and Miller, 1988)."""
    global _noise_state
    _noise_state = _noise_state * 48271 % 0x7FFFFFFF
    return peak * (_noise_state % 2001 - 1000) / 1000


def _source_mv(source):
    if hasattr(source, "mv"):
        return source.mv()
    return source() if callable(source) else source


def _noisy_mv(source, noise):
    mv = _source_mv(source)
    if mv is None:
        return 5 + _noise_mv(5)
    return mv + (_noise_mv(noise) if noise else 0)


def counts(source, noise_mv):
    """What the converter gives for a source of wiring.attach_adc: 0 to 4095."""
    raw = int(_noisy_mv(source, noise_mv) * _FULL / vref_mv + 0.5)
    return min(max(raw, 0), _FULL)


class ADC:
    """machine.ADC(pin): read_u16 as everywhere, read_uv as on ESP32, STM32 and Zephyr."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, *, atten=None, sample_ns=None):
        self._pin = number_of(pin)

    def _raw(self):
        return counts(*wiring.adc.get(self._pin, _OPEN))

    def read_u16(self):
        raw = self._raw()
        return raw << 4 | raw >> 8

    def read_uv(self):
        return self._raw() * vref_mv * 1000 // _FULL

    def deinit(self):
        pass
