"""Bulk transfer from the network: fragments in any order, losses repaired, a file at the end.

    receiver = Receiver("/incoming.bin", link.post, done)
    link.on_downlink, link.expects = receiver.take, receiver.is_open

Source: LoRa Alliance TS004-1.0.0 (port 201): FragSessionSetup, DataFragment, FragSessionStatus,
FragSessionDelete, PackageVersion. One session at a time; no multicast. The descriptor is the
CRC-32 of the file: it guards against mix-ups; who sent it is the signature's business (update).
"""

import binascii

from ...core import log
from ...core.errors import FrameError
from .frag import Decoder

PORT = 201
VERSION, STATUS, SETUP, DELETE, FRAGMENT = 0x00, 0x01, 0x02, 0x03, 0x08
MAX_COUNT = 2048
HEAD_BYTES = 3
_ID_FRAGMENTATION = 3
_ANSWER_BYTES = {VERSION: 2, STATUS: 4, SETUP: 1, DELETE: 1}
_ENCODING_UNSUPPORTED, _NO_MEMORY, _NO_INDEX = 1, 2, 4


def setup_req(index, count, size, padding, crc):
    """FragSessionSetupReq, encoding 0."""
    head = bytes((SETUP, index << 4)) + count.to_bytes(2, "little")
    return head + bytes((size, 0, padding)) + crc.to_bytes(4, "little")


def status_req(index):
    """FragSessionStatusReq: all answer."""
    return bytes((STATUS, index << 1 | 1))


def data_fragment(index, n, body):
    return bytes((FRAGMENT,)) + (n | index << 14).to_bytes(2, "little") + body


def split_answers(data):
    """List of (command, body) of an uplink on the port. Raises FrameError."""
    found = []
    pos = 0
    while pos < len(data):
        size = _ANSWER_BYTES.get(data[pos])
        if size is None or pos + 1 + size > len(data):
            raise FrameError("lorawan: port 201, no answer %02x" % data[pos])
        found.append((data[pos], bytes(data[pos + 1 : pos + 1 + size])))
        pos += 1 + size
    return found


class Receiver:
    """Writes to `path`. done(path, size) once whole and its CRC-32 is right.

    max_bytes bounds the file, max_lost the parity kept in RAM (each a fragment and `count` bits).
    """

    def __init__(self, path, post, done, max_bytes=262144, max_lost=48):
        self.path = path
        self._post = post
        self._done = done
        self._max_bytes = max_bytes
        self._max_lost = max_lost
        self._file = None
        self._decoder = None
        self._setup = b""
        self.files = self.refused = 0

    def take(self, port, data):
        """A downlink of any port; others than 201 are left alone. Raises nothing of its own."""
        if port != PORT or not data:
            return
        handler = self._HANDLERS.get(data[0])
        if handler is None or len(data) < self._LENGTHS[data[0]]:
            self.refused += 1
            return
        try:
            handler(self, data)
        except OSError as error:  # the disk: records must go on, the sender asks again
            log.warn("lorawan", "bulk transfer given up: %r", error)
            self.close()

    def _version(self, data):
        self._post(PORT, bytes((VERSION, _ID_FRAGMENTATION, 1)))

    def _begin(self, data):
        index, count, size = data[1] >> 4 & 3, data[2] | data[3] << 8, data[4]
        status = 0
        if data[5] & 0x38:
            status |= _ENCODING_UNSUPPORTED
        fits = 1 <= count <= MAX_COUNT and 1 <= size <= 242 and count * size <= self._max_bytes
        if not fits or data[6] >= count * size:  # padding alone would be a file of less than 0
            status |= _NO_MEMORY
        if index:
            status |= _NO_INDEX
        if not status and (data[1:] != self._setup or self._decoder is None):
            self._open(bytes(data[1:]), count, size)
        self._post(PORT, bytes((SETUP, status | index << 6)))

    def _open(self, setup, count, size):
        self.close()
        self._setup = setup
        self._file = open(self.path, "w+b")
        for _ in range(count):
            self._file.write(bytes(size))
        self._decoder = Decoder(count, size, self._write, self._read, self._max_lost)

    def _write(self, place, body):
        self._file.seek(place * self._decoder.size)
        self._file.write(body)

    def _read(self, place):
        self._file.seek(place * self._decoder.size)
        return self._file.read(self._decoder.size)

    def _fragment(self, data):
        decoder = self._decoder
        n = (data[1] | data[2] << 8) & 0x3FFF
        if decoder is None or data[2] >> 6 or len(data) - HEAD_BYTES != decoder.size or not n:
            self.refused += 1
            return
        if not decoder.done and decoder.add(n, data[HEAD_BYTES:]):
            self._finish()

    def _finish(self):
        """The file is whole: check it, give it away, keep answering that nothing is missing."""
        self._file.flush()
        size = self._decoder.count * self._decoder.size - self._setup[5]
        self._file.seek(0)
        crc, left = 0, size
        while left:
            block = self._file.read(min(left, 512))
            crc = binascii.crc32(block, crc)
            left -= len(block)
        self._file.close()
        self._file = None
        if crc != int.from_bytes(self._setup[6:10], "little"):
            log.warn("lorawan", "bulk transfer: wrong CRC, begun anew")
            self._decoder = None
            return
        self.files += 1
        self._done(self.path, size)

    def _status(self, data):
        decoder = self._decoder
        missing = 255 if decoder is None else min(decoder.missing, 255)
        received = 0 if decoder is None else min(decoder.received, 0x3FFF)
        answer = bytes((STATUS,)) + received.to_bytes(2, "little") + bytes((missing, 0))
        self._post(PORT, answer)

    def _delete(self, data):
        known = self._decoder is not None
        self.close()
        self._post(PORT, bytes((DELETE, data[1] & 3 | (0 if known else 4))))

    def is_open(self):
        """True while fragments are missing."""
        return self._decoder is not None and not self._decoder.done

    def close(self):
        """Forget the session; the file stays as it is."""
        if self._file:
            self._file.close()
        self._file = self._decoder = None

    _HANDLERS = {
        VERSION: _version,
        STATUS: _status,
        SETUP: _begin,
        DELETE: _delete,
        FRAGMENT: _fragment,
    }
    _LENGTHS = {VERSION: 1, STATUS: 2, SETUP: 11, DELETE: 2, FRAGMENT: 4}
