"""What a log knows, for a reader outside the node."""


class Audit:
    """Iterates (boot, stream, seq, payload); `.dropped` {stream: n}, `.corrupt`."""

    def __init__(self, path):
        self.path = path
        self.dropped = {}
        self.corrupt = 0

    def __iter__(self):
        raise NotImplementedError
