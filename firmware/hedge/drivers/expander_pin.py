"""A pin of an expander that looks like machine.Pin, so that Relay can sit on it.

    pump = Relay(expander.pin(3), active_high=False)

The expander has: input_level(n) -> 0 or 1; set_output(n, level), which latches the level and makes
the pin an output in this order; set_input(n). Raises what the expander raises.
"""


class ExpanderPin:
    """Pin n of an expander. value() reads the level at the pin, not the latch."""

    IN = 0
    OUT = 1

    def __init__(self, expander, n):
        self._expander = expander
        self._n = n

    def init(self, mode, pull=None, value=None):
        """As machine.Pin.init; pull is what the expander has and is ignored here."""
        if mode == self.IN:
            self._expander.set_input(self._n)
        else:
            self._expander.set_output(self._n, 0 if value is None else value)

    def value(self, level=None):
        """The level; with an argument set the output."""
        if level is None:
            return self._expander.input_level(self._n)
        self._expander.set_output(self._n, level)
        return None
