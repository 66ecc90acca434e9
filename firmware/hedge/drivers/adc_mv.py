"""Millivolts from any port's ADC, for the drivers on analog pins.

ESP32, STM32 and the Unix port have `read_uv()`, which applies the chip's calibration; RP2 has only
`read_u16()`, scaled here by the reference voltage. Does not allocate, does not wait.
"""

from micropython import const

_SAMPLES = const(8)  # mean of 8: one LSB of noise becomes a third

RAIL_MV = 50  # nearer than this to ground or to full scale, a reading says nothing about the input


def read_mv(adc, vref_mv):
    """Mean of 8 readings in mV. adc: a machine.ADC; vref_mv: full scale where read_uv is missing.

    Products stay below 2**30 for vref_mv up to 8000: small ints on 32-bit boards.
    """
    total = 0
    if hasattr(adc, "read_uv"):
        for _ in range(_SAMPLES):
            total += adc.read_uv()
        return (total // _SAMPLES + 500) // 1000
    for _ in range(_SAMPLES):
        total += adc.read_u16()
    return (total // 4 * vref_mv + 65535) // (2 * 65535)
