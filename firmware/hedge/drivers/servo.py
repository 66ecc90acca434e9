"""Hobby servo (SG90, MG996R and alike) on a PWM pin.

    servo = Servo(board.bus("pwm", 8), min_us=500, max_us=2400, span_deg=180)
    servo.move_to(90)
    ...
    servo.poll()  # now and then: stops the pulses once it has arrived

Pulses come 50 times a second; their length says the angle. After hold_ms without a new angle the
pulses stop and the servo takes no current and does not hum, but also does not hold against a
load: 0 is for ever. Give it a supply of its own, it takes 0.7 A at the start.

Source: Tower Pro SG90 data sheet (20 ms period, 0.1 s per 60 deg); its 1 to 2 ms are 90 deg, 500
to 2400 us the whole way, as the Arduino Servo library (544 to 2400 us) and the servo page of the
Arduino forum ("Servo pulse widths", 286525) have it.
"""

from micropython import const

from ..core import clock
from ..core.errors import ConfigError
from .relay import Relay

_PERIOD_HZ = const(50)


class Servo:
    """One servo; the PWM object belongs to the caller. Methods neither wait nor allocate."""

    def __init__(self, pwm, min_us=500, max_us=2400, span_deg=180, hold_ms=1000):
        """No pulses until the first move_to. Raises ConfigError."""
        if not 200 <= min_us < max_us <= 3000 or not 1 <= span_deg <= 360:
            raise ConfigError("servo: %r to %r us, %r deg" % (min_us, max_us, span_deg))
        self._pwm = pwm
        self._min_us, self._max_us = min_us, max_us
        self._span_deg = span_deg
        self._hold_ms = hold_ms
        self._moved_ms = 0
        self.is_on = False
        pwm.freq(_PERIOD_HZ)
        pwm.duty_u16(0)

    def move_to(self, deg):
        """Turn to deg, kept within 0 to span_deg; returns the pulse length in us."""
        deg = min(max(deg, 0), self._span_deg)
        us = self._min_us + (deg * (self._max_us - self._min_us) + self._span_deg // 2) // (
            self._span_deg
        )
        self._pwm.duty_ns(us * 1000)
        self._moved_ms = clock.ticks_ms()
        self.is_on = True
        return us

    def off(self):
        """Stop the pulses."""
        self._pwm.duty_u16(0)
        self.is_on = False

    def poll(self):
        """Stop the pulses when hold_ms are over; returns is_on."""
        since_ms = clock.ticks_diff(clock.ticks_ms(), self._moved_ms)
        if self.is_on and self._hold_ms and since_ms >= self._hold_ms:
            self.off()
        return self.is_on


class _Arm:
    """What Relay takes for its pin: a level becomes an angle."""

    OUT = 1

    def __init__(self, servo, on_deg, off_deg):
        self._servo, self._on_deg, self._off_deg = servo, on_deg, off_deg

    def init(self, mode, value):
        self.value(value)

    def value(self, level):
        self._servo.move_to(self._on_deg if level else self._off_deg)


class ServoSwitch(Relay):
    """A flap or a tap: at on_deg while on, else at off_deg. on(ms), off(), poll() as Relay."""

    def __init__(self, pwm, on_deg=90, off_deg=0, max_on_ms=600000, timer=None, **servo):
        """servo: keyword arguments of Servo. Moves to off_deg. Raises ConfigError.

        timer: as Relay; at rest it ends the pulses, without one the next poll does.
        """
        self.servo = Servo(pwm, **servo)
        self._released = self._on_release  # bound once
        Relay.__init__(self, _Arm(self.servo, on_deg, off_deg), True, max_on_ms, timer)
        self._release_later()

    def off(self):
        """As Relay.off."""
        Relay.off(self)
        self._release_later()

    def poll(self):
        """As Relay.poll; stops the pulses once the arm has arrived."""
        self.servo.poll()
        return Relay.poll(self)

    def _release_later(self):
        hold_ms = self.servo._hold_ms
        if self._timer and hold_ms:
            self._timer.init(mode=self._timer.ONE_SHOT, period=hold_ms, callback=self._released)

    def _on_release(self, timer):
        if not self.is_on:
            self.servo.off()


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "hobby servo, SG90",
        "class": "Servo",
        "kind": "actuator",
        "bus": "pwm",
        "doc": "Hobby servo (SG90) on a PWM pin",
        "params": {
            "min_us": ("int", 500, 200, 3000, "pulse at 0 degrees, us"),
            "max_us": ("int", 2400, 200, 3000, "pulse at span_deg, us"),
            "span_deg": ("int", 180, 1, 360, "angle between the two, degrees"),
            "hold_ms": ("int", 1000, 0, 3600000, "pulses after a move, ms; 0 is for ever"),
        },
        "switch": {
            "class": "ServoSwitch",
            "params": {
                "on_deg": ("int", 90, 0, 360, "angle while on, degrees"),
                "off_deg": ("int", 0, 0, 360, "angle while off, degrees"),
                "max_on_ms": ("int", 600000, 100, 86400000, "longest time on, ms"),
            },
        },
        "channels": (("angle", "rad", 1000, 0, 3.142),),
        "resolution": (0.0175,),
        "raw_bytes": 0,
        "first_ms": 0,
        "convert_ms": 0,
        "who_am_i": "",
        "datasheet": "Tower Pro SG90",
        "checked_against": "Arduino Servo library; Arduino forum, servo pulse widths",
    }
