"""What all simulated chips share: being there or not, and one fault at a time."""


class Chip:
    """Base of the simulated chips.

    present: False takes the chip (and its supply) away; True puts it back in its power-on state.
    fault: None or one name of the class's FAULTS.
    """

    FAULTS = ()

    def __init__(self):
        self._present = True
        self._fault = None

    def power_on(self):
        """Go to the state after power-on; chips with state override it."""

    @property
    def present(self):
        return self._present

    @present.setter
    def present(self, value):
        if value and not self._present:
            self.power_on()
        self._present = bool(value)

    @property
    def fault(self):
        return self._fault

    @fault.setter
    def fault(self, name):
        if name is not None and name not in self.FAULTS:
            raise ValueError("fault %r is not one of %s" % (name, ", ".join(self.FAULTS)))
        self._fault = name
