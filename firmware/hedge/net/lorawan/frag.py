"""Forward error correction of bulk data: fragments and their parity, a decoder that needs few.

Source: LoRa Alliance TS004-1.0.0 Fragmented Data Block Transport, appendix "FEC code proposal":
fragments 1..count are the data, any later one is the XOR of those that parity_row() names.

    decoder = Decoder(count, size, write, read)   # write(i, bytes), read(i) -> bytes: a file
    decoder.add(n, payload)  ->  True once all data fragments are written

Memory: the parity rows still undecided, at most `max_lost` of them: one fragment and `count` bits
each. What is known lies where write() puts it, a file.
"""


def _prbs23(x):
    return x >> 1 ^ ((x ^ x >> 5) & 1) << 22


def parity_row(n, count):
    """Bit mask of the data fragments in parity fragment n (1 is the first past the data)."""
    span = count + (count & count - 1 == 0)  # TS004: one more where count is a power of two
    x = 1 + 1001 * n
    mask = 0
    for _ in range(count // 2):
        r = count
        while r >= count:
            x = _prbs23(x)
            r = x % span
        mask |= 1 << r
    return mask


def fragment(data, size, n):
    """Fragment n (from 1) of data (bytes-like, a multiple of size); parity past the data."""
    count = len(data) // size
    if n <= count:
        return bytes(data[(n - 1) * size : n * size])
    mask = parity_row(n - count, count)
    out = bytearray(size)
    for i in range(count):
        if mask >> i & 1:
            xor_into(out, data[i * size : (i + 1) * size])
    return bytes(out)


def xor_into(out, data):
    """out ^= data, byte by byte; both of one length."""
    for i in range(len(out)):
        out[i] ^= data[i]


class Decoder:
    """Rebuilds `count` fragments of `size` bytes from any that arrive, in any order.

    write(i, data) and read(i): place i (from 0) of the result; read is asked only for written
    ones. max_lost: parity rows kept at a time; with more losses than that it waits for repeats.
    received, done: progress. overflow: a parity fragment found no room.
    """

    def __init__(self, count, size, write, read, max_lost=64):
        if not 1 <= count <= 0x3FFF or not 1 <= size <= 242:
            raise ValueError("%d fragments of %d bytes" % (count, size))
        self.count = count
        self.size = size
        self.received = 0
        self.overflow = False
        self._have = 0  # bit mask of places that hold their data
        self._all = (1 << count) - 1
        self._rows = {}  # lowest unknown place -> (mask of unknown places, their XOR)
        self._max_lost = max_lost
        self._write = write
        self._read = read

    @property
    def done(self):
        return self._have == self._all

    @property
    def missing(self):
        """Places still unknown."""
        return self.count - bin(self._have).count("1")

    def add(self, n, data):
        """Take fragment n (from 1). True when everything is there. Raises ValueError: its size."""
        if len(data) != self.size or not 1 <= n <= 0x3FFF:
            raise ValueError("fragment %d of %d bytes" % (n, len(data)))
        self.received += 1
        if self.done:
            return True
        if n <= self.count:
            self._learn(n - 1, bytes(data))
        else:
            self._combine(parity_row(n - self.count, self.count), bytearray(data))
        return self.done

    def _learn(self, place, data):
        """A place became known: tell all rows that held it, which may settle others."""
        todo = [(place, data)]
        while todo:
            place, data = todo.pop()
            if self._have >> place & 1:
                continue
            self._write(place, data)
            self._have |= 1 << place
            for row in [r for r in self._rows if self._rows[r][0] >> place & 1]:
                mask, value = self._rows.pop(row)
                xor_into(value, data)
                self._insert(mask & ~(1 << place), value, todo)

    def _combine(self, mask, value):
        for place in range(self.count):
            if mask >> place & 1 and self._have >> place & 1:
                xor_into(value, self._read(place))
        todo = []
        self._insert(mask & ~self._have, value, todo)
        for place, data in todo:
            self._learn(place, data)

    def _insert(self, mask, value, todo):
        """Gaussian elimination over GF(2): each row is kept under its lowest unknown."""
        while mask:
            if mask & mask - 1 == 0:
                todo.append((_lowest(mask), bytes(value)))
                return
            place = _lowest(mask)
            row = self._rows.get(place)
            if row is None:
                self._keep(place, mask, value)
                return
            mask ^= row[0]
            xor_into(value, row[1])

    def _keep(self, place, mask, value):
        if len(self._rows) >= self._max_lost:
            self.overflow = True
            return
        self._rows[place] = (mask, value)


def _lowest(mask):
    place = 0
    while not mask & 0xFF:
        mask >>= 8
        place += 8
    while not mask & 1:
        mask >>= 1
        place += 1
    return place
