"""The log in a region of raw NOR flash: an ESP32 partition, a part of an RP2's flash.

    region = Region(esp32.Partition.find(esp32.Partition.TYPE_DATA, label="log")[0])
    store = Store(region)
    state = KV("node", volume=region)

A ring of sectors, each a segment. A sector is erased when it is taken, or in an idle moment before
that, the free ones in turn, and then only programmed: a record costs one or two page programs and
no erase. Bytes in SPEC.md.
"""

import errno

from ..core.errors import FrameError, StoreError
from ..wire import cbor, cbor_write
from . import disk, journal
from . import segment as seg

_BLOCKS, _BLOCK_BYTES, _ERASE = 4, 5, 6  # ioctl of a block device
_LEAST_SECTORS = journal.SPARE_SEGMENTS + 3
_LONGEST_RECORD_BYTES = seg.MARK_BYTES + seg.RECORD_HEAD_BYTES + seg.MAX_PAYLOAD_BYTES
_BOOT = ".boot"  # name of a value in the journal
_BOOTS_SKIPPED = 256
_AHEAD_SECTORS = 3  # programmed by a start before it erases ahead
_DEAD = bytes(4)  # over a header's first bytes: the segment is gone


class Region:
    """device: MicroPython's extended block device protocol, erased by ioctl 6 to 0xff, programmed
    by writeblocks(block, buf, offset), which clears bits only.

    page_bytes: unit and alignment of a program, 256 on an RP2; what is not to be written in it is
    0xff. blocks: erase blocks to a sector. Raises StoreError if the region is too small.
    The values of all KVs together must fit in one sector.
    """

    def __init__(self, device, page_bytes=256, blocks=1, name="flash"):
        self.name = name
        self._device = device
        self._blocks = blocks
        self._block_bytes = device.ioctl(_BLOCK_BYTES, 0)
        self.segment_bytes = self._block_bytes * blocks
        self._used = bytearray(device.ioctl(_BLOCKS, 0) // blocks)
        self._free = len(self._used)
        self._taken = -1  # the sector taken last
        self._ready = -1  # the one taken next, if it is erased
        self._programmed = 0  # bytes, of this start
        self.ahead_after_bytes = _AHEAD_SECTORS * self.segment_bytes  # see prepare()
        self._page = bytearray(page_bytes)
        self._check = bytearray(page_bytes)
        self._journal = None
        self._found = None  # of segments(), between start() and that
        if len(self._used) < _LEAST_SECTORS:
            text = "%s: %d sectors of %d bytes, at least %d"
            raise StoreError(text % (name, len(self._used), self.segment_bytes, _LEAST_SECTORS))

    def recovery(self):
        """What a start needs of this volume: start, segments, newest_boot and claim."""
        return Region

    # ---- start ----

    def start(self):
        """Read all headers, and the journal. Harmless if it has been done."""
        if self._journal is not None:
            return
        own, found, before = [], [], {}
        for sector in range(len(self._used)):
            head = seg.parse_header(self._read(sector, 0, seg.HEADER_BYTES))
            self._used[sector] = head is not None
            if head:
                segment = head[0]
                segment.where = sector
                segment.size = self.segment_bytes
                seg.put_in_order(own if segment.stream == journal.STREAM else found, segment)
                before[segment] = head[1]
        self._found = found, before
        self._free = len(self._used) - sum(self._used)
        self._taken = own[-1].where if own else -1
        self._journal = journal.Journal(self)
        self._journal.open(own)

    def segments(self):
        """(segments of records in order of reading, {segment: before}). Once, after start()."""
        found, self._found = self._found, None
        return found

    def measure(self, segment):
        """Set its size so that all is in it that is not erased; a record may end in 0xff, too."""
        end = self._last_programmed(segment, 0, self.segment_bytes) + _LONGEST_RECORD_BYTES
        segment.size = min(end, self.segment_bytes)

    def trim(self, segment, offset):
        """Set its size to where writing goes on, if all up to offset is sound.

        Returns the bytes of a torn write behind it. Its last page is not programmed again, and
        what follows keeps so far from it that it cannot complete the torn record by chance.
        """
        end = self._last_programmed(segment, offset, segment.size)
        page = len(self._page)
        if end <= offset:
            segment.size = offset
            return 0
        segment.size = (max(end, offset + _LONGEST_RECORD_BYTES) + page - 1) // page * page
        return end - offset

    def _last_programmed(self, segment, low, high):
        """Offset behind the last byte from low to high that is not erased, low if all are."""
        page = len(self._page)
        erased = b"\xff" * page
        while high > low:
            start = max((high - 1) // page * page, low)
            data = self._read(segment.where, start, high - start)
            if data != erased[: len(data)]:
                while data[high - start - 1] == 0xFF:
                    high -= 1
                return high
            high = start
        return low

    def newest_boot(self):
        """Highest boot number claimed, 0 in an empty region."""
        data = self._journal.get(_BOOT)
        newest = int.from_bytes(data, "little") if data else 0
        return newest + _BOOTS_SKIPPED if newest and self.may_be_old() else newest

    def claim(self, boot):
        """Make it durable that this boot number is taken."""
        self._journal.put(_BOOT, boot.to_bytes(4, "little"))

    # ---- maps ----

    def may_be_old(self):
        """True if a value was damaged or cut short: of a name an older value may count again."""
        return self._journal.damaged or self._journal.is_torn

    def load(self, name):
        """A saved map, None if there is none. Raises StoreError if it is damaged."""
        try:
            self.start()
            data = self._journal.get(name)
            values = cbor.decode(data) if data else None
        except (OSError, FrameError) as fault:
            raise StoreError("%s: %s: %s" % (self.name, name, fault))
        if values is not None and not isinstance(values, dict):
            raise StoreError("%s: %s: not a map" % (self.name, name))
        return values

    def save(self, name, values):
        """Replace a map, all or nothing. Raises OSError or StoreError."""
        self.start()
        data = bytearray()
        cbor_write.write_item(data, values)
        self._journal.put(name, data)

    # ---- segments ----

    def has_room(self, size, new):
        """True if so many bytes more may be written; new: into a segment of their own."""
        return not new or self._free > max(journal.SPARE_SEGMENTS - len(self._journal), 0)

    def turn(self, segment):
        """Of segments that may go the one with the lowest number goes first: next in the ring."""
        return (segment.where - self._taken - 1) % len(self._used)

    def begin(self, segment, resume=False):
        """A new segment: takes the next free sector, erased; resume: nothing to be done."""
        if resume:
            return
        if not self._free:
            raise OSError(disk.ENOSPC, "no free sector")
        sector, self._ready = self._ready, -1
        if sector < 0:
            sector = self._next_free()
            self._erase(sector)
        self._taken = sector
        self._used[sector] = 1
        self._free -= 1
        segment.where = sector

    def prepare(self):
        """Erase the sector that is taken next, so that begin() need not; blocks as long as that.

        Only this start knows that it is erased: a torn erase looks the same to the next one, which
        erases it again. So it waits until the start has programmed ahead_after_bytes: restarts
        then add at most an erase for so many bytes. Never raises: begin() does.
        """
        if self._ready >= 0 or not self._free or self._programmed < self.ahead_after_bytes:
            return
        sector = self._next_free()
        try:
            self._erase(sector)
        except OSError:
            return  # the same erase fails again when the sector is needed, and is told then
        self._ready = sector

    def _next_free(self):
        sector = (self._taken + 1) % len(self._used)
        while self._used[sector]:
            sector = (sector + 1) % len(self._used)
        return sector

    def _erase(self, sector):
        for block in range(sector * self._blocks, (sector + 1) * self._blocks):
            self._device.ioctl(_ERASE, block)

    def append(self, segment, data):
        """Program it behind what is there, and read it back."""
        self._program(segment.where, segment.size, data)

    def written(self, segment, size):
        """So many bytes more are in it."""

    def seal(self, segment):
        """No more records for it by this start."""

    def open_read(self, segment, whole=False):
        """File-like object of its bytes: seek, read, close. whole: what is behind `size`, too."""
        return _Sector(self, segment.where, self.segment_bytes if whole else segment.size)

    def remove(self, segment, keep):
        """Its sector is free."""
        self._used[segment.where] = 0
        self._free += 1
        self._program(segment.where, 0, _DEAD)

    def _program(self, sector, at, data):
        """Bytes from `at` of the sector on, page by page. Raises OSError if it does not hold."""
        page = self._page
        self._programmed += len(data)
        done = 0
        while done < len(data):
            skip = at % len(page)
            count = min(len(page) - skip, len(data) - done)
            for i in range(len(page)):
                page[i] = 0xFF
            page[skip : skip + count] = data[done : done + count]
            block, offset = divmod(at - skip, self._block_bytes)
            block += sector * self._blocks
            self._device.writeblocks(block, page, offset)
            self._device.readblocks(block, self._check, offset)
            if self._check[skip : skip + count] != page[skip : skip + count]:
                raise OSError(errno.EIO, "flash does not hold what was written")
            at += count
            done += count

    def _read(self, sector, at, size):
        """So many bytes of a sector, not beyond a block."""
        block, offset = divmod(at, self._block_bytes)
        data = bytearray(min(size, self._block_bytes - offset))
        self._device.readblocks(sector * self._blocks + block, data, offset)
        return data


class _Sector:
    """A segment as a file that is read."""

    def __init__(self, region, sector, size):
        self._region = region
        self._sector = sector
        self._size = size
        self._at = 0

    def seek(self, at):
        self._at = at

    def read(self, size):
        """Bytes from there on, fewer at the end only."""
        size = min(size, self._size - self._at)
        data = b""
        while len(data) < size:
            part = self._region._read(self._sector, self._at, size - len(data))
            self._at += len(part)
            data = part if not data else data + part
        return bytes(data)

    def close(self):
        pass
