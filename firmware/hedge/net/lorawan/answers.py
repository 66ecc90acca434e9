"""MAC commands that wait for an uplink: our questions, and answers to the network's commands.

Source: LoRaWAN L2 1.0.4, section 5: some answers go with every uplink until a downlink in a
receive window shows that the network has them.
"""

from . import maccmd, phy

_MOST = 30  # a class C device may be asked without end between uplinks; the oldest go


class Answers:
    """Each is bytes: identifier and payload."""

    def __init__(self):
        self._queue = []
        self._sticky = []  # of those, what is repeated

    def __len__(self):
        return len(self._queue)

    def ask(self, identifier):
        """A command of ours, without payload."""
        self.add([bytes((identifier,))])

    def add(self, answers):
        """One that is repeated takes the place of an earlier one to such a command."""
        sticky = [a for a in answers if a[0] in maccmd.STICKY]
        old = [a for a in self._sticky if a[0] in [s[0] for s in sticky]]
        self._queue = ([a for a in self._queue if a not in old] + answers)[-_MOST:]
        self._sticky = [a for a in self._sticky if a not in old] + sticky

    def heard(self):
        """A downlink in a receive window: the network has what was repeated."""
        self._queue = [a for a in self._queue if a not in self._sticky]
        self._sticky = []

    def fopts(self, most):
        """What fits into FOpts and `most` bytes, in order; bytes."""
        out = b""
        for answer in self._queue:
            if len(out) + len(answer) > min(phy.MAX_FOPTS_BYTES, most):
                break
            out += answer
        return out

    def sent(self, size):
        """The first `size` bytes went out; those that are repeated stay in front."""
        i = 0
        while size > 0:
            size -= len(self._queue[i])
            i += 1
        self._queue = [a for a in self._queue[:i] if a in self._sticky] + self._queue[i:]
