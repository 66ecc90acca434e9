"""Which sequence numbers of the peer came already (RFC 8613 7.4)."""

_WIDTH = 30  # bits that a small int holds on a 32-bit board


class Window:
    """Numbers up to `top`; those more than 30 below it count as seen."""

    def __init__(self):
        self._top = -1
        self._seen = 0  # bit i: top - i

    def is_new(self, number):
        behind = self._top - number
        return behind < 0 or (behind < _WIDTH and not self._seen >> behind & 1)

    def mark(self, number):
        """Only after the message proved genuine."""
        ahead = number - self._top
        if ahead <= 0:
            self._seen |= 1 << -ahead
            return
        self._seen = 1 if ahead >= _WIDTH else (self._seen << ahead & (1 << _WIDTH) - 1) | 1
        self._top = number

    def begin_at(self, number):
        """Nothing up to number is new any more; what came before is not known."""
        self._top = number
        self._seen = (1 << _WIDTH) - 1
