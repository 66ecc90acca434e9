"""Passive buzzer (piezo or coil without its own oscillator) on a PWM pin.

    buzzer = Buzzer(board.bus("pwm", 8))
    buzzer.beep(2700, 200)  # Hz, ms
    ...
    buzzer.poll()  # now and then: ends the beep

Loudest near its resonance (2 to 4 kHz, see its data sheet). An active buzzer, which sounds on a
direct voltage, is a Relay. beep() never sounds longer than max_ms, and poll() in device time ends
it.

Source: Hitpoint (maker of buzzers), "What is the 1/2 duty square wave": buzzers without a source
are loudest at a duty of 50 %. Second source: Connected Interaction Kit of TU Delft, piezo buzzer.
"""

from ..core import clock
from ..core.errors import ConfigError
from .relay import Relay

_HALF = 32768


class Buzzer:
    """One buzzer; the PWM object belongs to the caller. Methods neither wait nor allocate."""

    def __init__(self, pwm, max_ms=2000):
        """Silent from the start. Raises ConfigError if max_ms is not positive."""
        if max_ms < 1:
            raise ConfigError("buzzer: max_ms %r" % (max_ms,))
        self._pwm = pwm
        self._max_ms = max_ms
        self._begun_ms = 0
        self._ms = 0
        self.is_on = False
        pwm.duty_u16(0)

    def beep(self, freq_hz=2700, ms=200):
        """Sound 50 to 20000 Hz for ms; returns the ms granted. Raises ConfigError."""
        if not 50 <= freq_hz <= 20000:
            raise ConfigError("buzzer: %r Hz" % (freq_hz,))
        self._ms = min(ms, self._max_ms)
        if self._ms <= 0:
            self.off()
            return 0
        self._pwm.freq(freq_hz)
        self._pwm.duty_u16(_HALF)
        self._begun_ms = clock.ticks_ms()
        self.is_on = True
        return self._ms

    def off(self):
        """Be silent; harmless if it is."""
        self._pwm.duty_u16(0)
        self.is_on = False

    def poll(self):
        """End the beep when its time is up; returns is_on."""
        if self.is_on and clock.ticks_diff(clock.ticks_ms(), self._begun_ms) >= self._ms:
            self.off()
        return self.is_on


class _Tone:
    """What Relay takes for its pin: a level becomes a tone."""

    OUT = 1

    def __init__(self, pwm, freq_hz):
        self._pwm = pwm
        self._freq_hz = freq_hz

    def init(self, mode, value):
        self._pwm.freq(self._freq_hz)
        self.value(value)

    def value(self, level):
        self._pwm.duty_u16(_HALF if level else 0)


class BuzzerSwitch(Relay):
    """An alarm that sounds while on. on(ms), off(), poll() as Relay."""

    def __init__(self, pwm, freq_hz=2700, max_ms=2000, max_on_ms=600000, timer=None):
        """No tone is longer than max_ms. Raises ConfigError."""
        if not 50 <= freq_hz <= 20000:
            raise ConfigError("buzzer: %r Hz" % (freq_hz,))
        Relay.__init__(self, _Tone(pwm, freq_hz), True, min(max_ms, max_on_ms), timer)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "passive buzzer",
        "class": "Buzzer",
        "kind": "actuator",
        "bus": "pwm",
        "doc": "Passive buzzer on a PWM pin, never on for too long",
        "params": {
            "max_ms": ("int", 2000, 1, 600000, "longest beep, ms"),
        },
        "switch": {
            "class": "BuzzerSwitch",
            "params": {
                "freq_hz": ("int", 2700, 50, 20000, "pitch, Hz"),
                "max_on_ms": ("int", 600000, 100, 86400000, "longest time on, ms"),
            },
        },
        "channels": (("on", "/", 1, 0, 1),),
        "resolution": (1,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Hitpoint, 1/2 duty square wave",
        "checked_against": "Connected Interaction Kit, piezo buzzer",
    }
