"""A record is a skeleton with holes: names and units stay, times and values change.

Most records of a node differ only in their time and their values. What does not change is the
skeleton; two sides that both know it send only what goes into the holes. Bytes in SPEC.md.
"""

import binascii
import struct

from ...core.errors import FrameError
from ...wire.senml import write_measured
from ...wire.varint import read, write

_VALUE_HOLE = 0x1C  # no CBOR item begins with these: RFC 8949 reserves them
_TIME_HOLE = 0x1D
_VALUE_LABEL = 0x02
_BASE_TIME_LABEL = 0x22
_MAX_DIGITS = 3  # after the point
_ROUNDING = 1e-6  # relative: eight times what single precision loses in one product
_I16, _I8, _I24, _DELTA, _INT_DELTA = 0xE0, 0xE4, 0xE8, 0xEC, 0xF0


class State:
    """What both sides remember within one payload: the last time, the last value of each hole."""

    def __init__(self):
        self.time_s = 0
        self.last = {}  # (skeleton hash, hole) -> (digits, number), digits None for an int


def digest(skeleton):
    """16 bits that name a skeleton within one device."""
    return binascii.crc32(skeleton) & 0xFFFF


def split(record):
    """(skeleton, holes) of a SenML-CBOR pack (bytes); None if unfit.

    holes: [(True for a time, item)] in order. Unfit is what has no hole or is no plain array of
    maps: it travels as it is.
    """
    skeleton = bytearray()
    holes = []
    pos = _walk(record, skeleton, holes)
    return (bytes(skeleton), holes) if pos == len(record) and holes else None


def _walk(record, skeleton, holes):
    """Position where the pack ends, -1 if it is not understood."""
    if not record or not 0x81 <= record[0] <= 0x97:
        return -1
    skeleton.append(record[0])
    pos = 1
    for _ in range(record[0] & 0x1F):
        if pos >= len(record) or not 0xA1 <= record[pos] <= 0xB7:
            return -1
        fields = record[pos] & 0x1F
        skeleton.append(record[pos])
        pos += 1
        for _ in range(fields):
            end = _item_end(record, pos + 1)
            if end < 0 or record[pos] > 0x37 or 0x18 <= record[pos] < 0x20:
                return -1
            skeleton.append(record[pos])
            _add(record[pos], record[pos + 1 : end], skeleton, holes)
            pos = end
    return pos


def _add(label, item, skeleton, holes):
    if label == _VALUE_LABEL and (item[0] < 0x40 or item[0] in (0xF9, 0xFA)):
        skeleton.append(_VALUE_HOLE)
        holes.append((False, item))
    elif label == _BASE_TIME_LABEL and item[0] < 0x1B:
        skeleton.append(_TIME_HOLE)
        holes.append((True, item))
    else:
        skeleton.extend(item)


def _item_end(data, pos):
    """Position after the number, text, bytes, bool or float at pos; -1 if it is another item."""
    if pos >= len(data):
        return -1
    major, info = data[pos] >> 5, data[pos] & 0x1F
    if info > 27 or major in (4, 5, 6):
        return -1
    extra = 0 if info < 24 else 1 << info - 24
    end = pos + 1 + extra
    if end > len(data):
        return -1
    if major in (2, 3):
        end += int.from_bytes(data[pos + 1 : end], "big") if extra else info
    return end if end <= len(data) else -1


# ---- holes, on the sending side ----


def note(skeleton, holes, state):
    """A record travelled as it is: remember its time and values, so that the next can differ."""
    fill(bytearray(), skeleton, holes, state)


def fill(out, skeleton, holes, state):
    """Append the holes' contents, as short as they go."""
    name = digest(skeleton)
    for i, (is_time, item) in enumerate(holes):
        if is_time:
            time_s = _head_number(item)
            write(out, _zigzag(time_s - state.time_s))  # modulo 2**32
            state.time_s = time_s
        else:
            _fill_value(out, item, (name, i), state)


def _fill_value(out, item, place, state):
    digits, number = _number(item)
    before = state.last.get(place)
    state.last[place] = (digits, number)
    if number is None:
        out.extend(item)
        return
    step = number - before[1] if before and before[0] == digits and before[1] is not None else None
    if step is not None and -128 <= step < 128 and len(item) > 1:
        out.append(_INT_DELTA if digits is None else _DELTA + digits)
        out.append(step & 0xFF)
    elif digits is None:
        out.extend(item)
    else:
        _fill_decimal(out, digits, number)


def _fill_decimal(out, digits, number):
    size, code = (1, _I8) if -128 <= number < 128 else (2, _I16)
    if size == 2 and not -32768 <= number < 32768:
        size, code = 3, _I24
    out.append(code + digits)
    out.extend((number & (1 << 8 * size) - 1).to_bytes(size, "big"))


def _number(item):
    """(digits after the point, number) of a float item, (None, number) of an int.

    number is None for what has more than three digits after the point, or is too large.
    """
    if item[0] < 0x40:
        value = _head_number(item)
        return None, -1 - value if item[0] & 0x20 else value
    x = struct.unpack(">e" if item[0] == 0xF9 else ">f", item[1:])[0]
    for digits in range(_MAX_DIGITS + 1):
        scaled = x * (1, 10, 100, 1000)[digits]
        if not -8000000 < scaled < 8000000:
            break  # NaN too
        number = int(scaled + (0.5 if scaled >= 0 else -0.5))
        if abs(scaled - number) > _ROUNDING * max(abs(number), 1):
            continue  # packing the float, to be sure, costs ten times as much
        if _decimal_item(digits, number) == item and (number or not item[1] & 0x80):
            return digits, number
    return 0, None


def _decimal_item(digits, number):
    """The CBOR float that a record holds for number / 10**digits."""
    out = bytearray()
    write_measured(out, number / (1, 10, 100, 1000)[digits])
    return bytes(out)


def _head_number(item):
    return int.from_bytes(item[1:], "big") if len(item) > 1 else item[0] & 0x1F


def _zigzag(n):
    n = (n + 0x80000000 & 0xFFFFFFFF) - 0x80000000
    return n << 1 if n >= 0 else (-n << 1) - 1


# ---- holes, on the receiving side ----


def join(skeleton, data, pos, end, state):
    """(record, position) of a skeleton whose holes are at pos. Raises FrameError."""
    reader = _Reader(digest(skeleton), data, pos, end, state)
    return _walk_skeleton(skeleton, reader.item), reader.pos


def _walk_skeleton(skeleton, item_of):
    """The record of a skeleton from split(): item_of(marker) gives each hole's CBOR item."""
    out = bytearray(skeleton[:1])
    pos = 1
    for _ in range(skeleton[0] & 0x1F):
        fields = skeleton[pos] & 0x1F
        out.append(skeleton[pos])
        pos += 1
        for _ in range(fields):
            out.append(skeleton[pos])
            if skeleton[pos + 1] in (_VALUE_HOLE, _TIME_HOLE):
                out.extend(item_of(skeleton[pos + 1]))
                pos += 2
            else:
                end = _item_end(skeleton, pos + 1)
                out.extend(skeleton[pos + 1 : end])
                pos = end
    return bytes(out)


class _Reader:
    def __init__(self, name, data, pos, end, state):
        self._name = name
        self._data = data
        self.pos = pos
        self._end = end
        self._state = state
        self._hole = -1

    def item(self, marker):
        self._hole += 1
        if marker == _TIME_HOLE:
            return self._time()
        return self._value((self._name, self._hole))

    def _time(self):
        n, self.pos = read(self._data, self.pos, self._end)
        step_s = -((n + 1) >> 1) if n & 1 else n >> 1
        time_s = self._state.time_s + step_s & 0xFFFFFFFF
        self._state.time_s = time_s
        return _uint_item(time_s)

    def _value(self, place):
        code = self._take(1)[0]
        if not _I16 <= code <= _INT_DELTA:
            return self._plain(code, place)
        if code == _INT_DELTA:
            digits, number = None, self._delta(place, None)
        elif code >= _DELTA:
            digits = code - _DELTA
            number = self._delta(place, digits)
        else:
            digits = code & 3
            size = {_I16: 2, _I8: 1, _I24: 3}[code & 0xFC]
            number = _signed(self._take(size))
        self._state.last[place] = (digits, number)
        return _int_item(number) if digits is None else _decimal_item(digits, number)

    def _delta(self, place, digits):
        before = self._state.last.get(place)
        if not before or before[0] != digits or before[1] is None:
            raise FrameError("lorawan: a step from nowhere")
        return before[1] + _signed(self._take(1))

    def _plain(self, code, place):
        start = self.pos - 1
        end = _item_end(self._data[: self._end], start)
        if end < 0 or not (code < 0x40 or code in (0xF9, 0xFA)):
            raise FrameError("lorawan: no value at %d" % start)
        self.pos = end
        item = bytes(self._data[start:end])
        self._state.last[place] = _number(item)
        return item

    def _take(self, size):
        start = self.pos
        self.pos += size
        if self.pos > self._end:
            raise FrameError("lorawan: record cut short")
        return self._data[start : self.pos]


def _signed(data):
    n = int.from_bytes(bytes(data), "big")
    return n - (1 << 8 * len(data)) if data[0] & 0x80 else n


def _uint_item(n, major=0):
    if n < 24:
        return bytes((major | n,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes((major | info,)) + n.to_bytes(size, "big")
    raise FrameError("lorawan: %d is too large" % n)


def _int_item(n):
    return _uint_item(n) if n >= 0 else _uint_item(-1 - n, 0x20)
