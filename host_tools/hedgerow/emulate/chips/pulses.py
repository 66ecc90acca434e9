"""Simulated contacts and detectors on a pin: flow meter, rain gauge, anemometer, PIR.

    chip = FlowMeter(now_ms)
    chip.drive = lambda level: machine.drive_pin(13, level)
    chip.flow_l_per_s = 0.2
    chip.step()  # once each millisecond: the pulses of that millisecond are on the line

Sources are those of the drivers' files; 0.2794 mm, 2.4 km/h and 450 pulses are the data sheets'
own figures, the drivers use rounded ones. Fault: "bounce" repeats each closure three times at
once. A cut cable (present False) is a contact at rest.
"""

from .chip import Chip


class PulseChip(Chip):
    """A contact to ground against a pull-up; a subclass says `rate_hz()`."""

    FAULTS = ("bounce",)
    IDLE, ACTIVE = 1, 0

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.drive = None
        self._part = 0.0  # of a pulse

    def rate_hz(self):
        raise NotImplementedError("a contact has a rate")

    def step(self):
        """The pulses of the millisecond that just passed."""
        self._part += self.rate_hz() / 1000
        while self._part >= 1:
            self._part -= 1
            self.pulse()

    def pulse(self):
        if not self.present:
            return
        for _ in range(4 if self.fault == "bounce" else 1):
            self.drive(self.ACTIVE)
            self.drive(self.IDLE)


class FlowMeter(PulseChip):
    """YF-S201: 450 pulses per litre, nothing below a sixtieth of a litre a second."""

    FAULTS = ()  # a Hall sensor does not bounce
    flow_l_per_s = 0.0
    pulses_per_l = 450

    def rate_hz(self):
        return self.flow_l_per_s * self.pulses_per_l if self.flow_l_per_s >= 1 / 60 else 0


class RainGauge(PulseChip):
    """0.2794 mm per tip."""

    rain_mm_per_h = 0.0

    def rate_hz(self):
        return self.rain_mm_per_h / 0.2794 / 3600


class Anemometer(PulseChip):
    """One pulse a second at 2.4 km/h."""

    wind_mps = 0.0

    def rate_hz(self):
        return self.wind_mps * 3.6 / 2.4


class PIR(PulseChip):
    """HC-SR501: high for hold_ms after motion, and on as long as there is motion."""

    FAULTS = ()
    IDLE = 0
    hold_ms = 3000

    def __init__(self, now_ms):
        PulseChip.__init__(self, now_ms)
        self.moving = False
        self._until_ms = None

    def rate_hz(self):
        return 0

    def step(self):
        if self.moving and self.present:
            if self._until_ms is None:
                self.drive(1)
            self._until_ms = self._now_ms() + self.hold_ms
        elif self._until_ms is not None and self._now_ms() >= self._until_ms:
            self._until_ms = None
            self.drive(0)
