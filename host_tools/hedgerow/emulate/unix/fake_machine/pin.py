"""Simulated GPIO pins: modes, pulls, open drain, edges, interrupts.

A pin number is one line whatever the number of Pin objects on it. What another part drives onto
the line is set with drive_pin; what the board drives is reported to the callbacks of on_pin. A
line that nobody drives reads 1 with a pull-up, else 0 (real floating pins read anything).
"""

try:
    from micropython import schedule
except ImportError:  # CPython, whose stand-in for `micropython` has no scheduler

    def schedule(function, argument):
        function(argument)


_COUNT = 49  # GPIO 0 to 48, as many as the largest of the supported chips has

_lines = {}


class _Line:
    """Electrical state of one pin."""

    def __init__(self):
        self.mode = 0
        self.pull = None
        self.latch = 0  # output register, kept while the pin is an input
        self.driven = None  # level that the outside forces, None if it does not
        self.handler = None
        self.trigger = 0
        self.hard = False
        self.listeners = []

    def output(self):
        """Level that the board itself drives: 0, 1, or None while it does not drive."""
        if self.mode == Pin.OUT:
            return self.latch
        return 0 if self.mode == Pin.OPEN_DRAIN and not self.latch else None

    def level(self):
        out = self.output()
        if out is not None:
            return out
        driven = self.driven() if callable(self.driven) else self.driven
        if driven is not None:
            return driven
        return 1 if self.pull == Pin.PULL_UP else 0


def _line(number):
    if number not in _lines:
        _lines[number] = _Line()
    return _lines[number]


def _change(number, **state):
    """Set attributes of a line, then tell listeners and the interrupt handler what changed."""
    line = _line(number)
    output, level = line.output(), line.level()
    for name in state:
        setattr(line, name, state[name])
    if line.output() != output:
        for listener in line.listeners:
            listener(line.output())
    _interrupt(number, line, level, line.level())


def _interrupt(number, line, before, after):
    edge = Pin.IRQ_RISING if after > before else Pin.IRQ_FALLING if after < before else 0
    if line.handler and line.trigger & edge:
        if line.hard:
            line.handler(Pin(number))
        else:
            schedule(line.handler, Pin(number))


def on_pin(number, callback):
    """Call callback(level) when the board's output on that pin changes.

    level is 0 or 1, or None when the pin stops driving (input, or open drain released).
    """
    _line(number).listeners.append(callback)


def drive_pin(number, level):
    """Force a level from outside (a button, a chip's interrupt line); None lets go.

    level may be a function that is asked at each look; such a line gives no interrupts.
    """
    _change(number, driven=level)


def clear():
    """Forget every pin (between tests)."""
    _lines.clear()


def number_of(pin):
    """CPU number of a Pin object or a number; raises ValueError like the ports do."""
    number = pin.number if isinstance(pin, Pin) else pin
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < _COUNT:
        raise ValueError("invalid pin: %r" % (pin,))
    return number


class Pin:
    """machine.Pin(number, mode, pull, value=...), constants as on RP2."""

    IN, OUT, OPEN_DRAIN, ALT = 0, 1, 2, 3
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_FALLING, IRQ_RISING = 4, 8

    def __init__(self, number, mode=-1, pull=-1, *, value=None):
        self.number = number_of(number)
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        """The level is set before the mode, so an output starts at value without a glitch."""
        if mode not in (-1, Pin.IN, Pin.OUT, Pin.OPEN_DRAIN, Pin.ALT):
            raise ValueError("invalid pin mode: %r" % (mode,))
        state = {}
        if value is not None:
            state["latch"] = 1 if value else 0
        if mode != -1:
            state["mode"] = mode
        if pull != -1:
            state["pull"] = pull
        _change(self.number, **state)

    def value(self, level=None):
        """Read the line, or set the output register."""
        if level is None:
            return _line(self.number).level()
        _change(self.number, latch=1 if level else 0)
        return None

    def __call__(self, level=None):
        return self.value(level)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    high = on
    low = off

    def toggle(self):
        self.value(1 - _line(self.number).latch)

    def mode(self):
        return _line(self.number).mode

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, *, hard=False):
        """Call handler(pin) on the edges in trigger; a soft handler runs between bytecodes."""
        line = _line(self.number)
        line.handler, line.trigger, line.hard = handler, trigger, hard
        return self

    def __repr__(self):
        return "Pin(GPIO%d)" % self.number


class Signal:
    """machine.Signal: a pin whose active level may be low."""

    def __init__(self, pin, *, invert=False):
        self._pin = pin
        self._invert = invert

    def value(self, level=None):
        if level is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(level) ^ self._invert)
        return None

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
