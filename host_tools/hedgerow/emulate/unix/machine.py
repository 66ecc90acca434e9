"""`machine` for the Unix port: simulated pins, buses and power, shadowing the built-in module.

MicroPython looks for machine.py on MICROPYPATH before its own `machine` (an extensible built-in).
Beside what programs for boards use it has the bench: what tests and the simulator use to wire
chips, drive pins and steer time. See README.md.
"""

import os

from fake_machine import adc as _adc
from fake_machine import bitstream as _bitstream
from fake_machine import dht as _dht
from fake_machine import pin as _pin
from fake_machine import pulse as _pulse
from fake_machine import pwm as _pwm
from fake_machine import spi as _spi
from fake_machine import uart as _uart
from fake_machine import wiring as _wiring
from fake_machine.adc import ADC, set_vref_mv
from fake_machine.bitstream import attach_bitstream, bitstream
from fake_machine.dht import attach_dht, dht_readinto
from fake_machine.i2c import I2C, SoftI2C
from fake_machine.pin import Pin, Signal, drive_pin, on_pin
from fake_machine.power import (
    DEEPSLEEP_RESET,
    EXIT_DEEPSLEEP,
    EXIT_RESET,
    EXIT_SOFT_RESET,
    EXIT_WDT,
    HARD_RESET,
    PWRON_RESET,
    SOFT_RESET,
    WDT,
    WDT_RESET,
    deepsleep,
    idle,
    lightsleep,
    reset,
    reset_cause,
    soft_reset,
    use_epoch_ms,
    wake_ms,
)
from fake_machine.pulse import attach_pulse, time_pulse_us
from fake_machine.pwm import PWM, pwm_on
from fake_machine.rtc import RTC
from fake_machine.spi import SPI, attach_spi
from fake_machine.timer import Timer
from fake_machine.uart import UART, attach_uart
from fake_machine.wiring import (
    attach_adc,
    attach_i2c,
    attach_onewire,
    detach_i2c,
    detach_onewire,
    stick_i2c,
)

__all__ = (
    # what programs for boards use
    "ADC",
    "I2C",
    "PWM",
    "RTC",
    "SPI",
    "UART",
    "WDT",
    "Pin",
    "Signal",
    "SoftI2C",
    "Timer",
    "PWRON_RESET",
    "HARD_RESET",
    "WDT_RESET",
    "DEEPSLEEP_RESET",
    "SOFT_RESET",
    "bitstream",
    "deepsleep",
    "dht_readinto",
    "idle",
    "lightsleep",
    "reset",
    "reset_cause",
    "soft_reset",
    "time_pulse_us",
    # the bench
    "EXIT_DEEPSLEEP",
    "EXIT_RESET",
    "EXIT_SOFT_RESET",
    "EXIT_WDT",
    "attach_adc",
    "attach_bitstream",
    "attach_dht",
    "attach_i2c",
    "attach_onewire",
    "attach_pulse",
    "attach_spi",
    "attach_uart",
    "detach_i2c",
    "detach_onewire",
    "drive_pin",
    "on_pin",
    "pwm_on",
    "set_vref_mv",
    "stick_i2c",
    "use_epoch_ms",
    "wake_ms",
)

_freq_hz = 125000000


def unique_id():
    """8 bytes that differ by $HEDGE_SIM_DIR, so that simulated boards differ."""
    from hashlib import sha256

    return sha256((os.getenv("HEDGE_SIM_DIR") or "hedgerow").encode()).digest()[:8]


def freq(hz=None):
    """Get or set the CPU clock; only remembered."""
    global _freq_hz
    if hz is None:
        return _freq_hz
    if not 18000000 <= hz <= 250000000:
        raise ValueError("cannot change frequency")
    _freq_hz = hz
    return None


def disable_irq():
    """Simulated interrupts run between bytecodes; there is nothing to disable."""
    return 0


def enable_irq(state):
    """Counterpart of disable_irq."""


def clear_bench():
    """Forget all pins and take every chip off (between tests)."""
    _wiring.clear()
    _spi.clear()
    _uart.clear()
    _dht.clear()
    _pwm.clear()
    _pulse.clear()
    _bitstream.clear()
    _pin.clear()
    _adc.set_vref_mv(3300)
    I2C.nack_errno = SoftI2C.nack_errno
    I2C.data_nack_raises = True
