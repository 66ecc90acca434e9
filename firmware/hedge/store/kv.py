"""A small key-value file, replaced as a whole: rule state, daily history, counters."""


class KV:
    """str keys, CBOR values (int, float, bool, None, str, bytes, list, dict)."""

    def __init__(self, path):
        self.path = path
        self.damaged = False  # the file failed its CRC and was set aside: values start empty
        self._values = {}

    def get(self, key, default=None):
        """Value last set, saved or not."""
        return self._values.get(key, default)

    def set(self, key, value):
        """Change in RAM; save() makes it durable."""
        self._values[key] = value

    def save(self):
        """Write if anything changed. Raises StoreError if the file system takes no more."""
