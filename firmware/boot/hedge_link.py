"""The board's side of `hedgerow deploy`: what is there, and files in binary frames.

Runs in the raw REPL. A frame is a head of 18 ASCII bytes, a body and its patches:

    kind (1)  bytes of the body (4 hex)  patches (4 hex)  CRC-32 of both (8 hex)  "\\n"

    F  JSON [path, bytes, offset, CRC-32 of the whole file]: data follows, unless it is complete
    D  data          Z  data, deflated (RFC 1951, raw, window of 4 KB, each frame by itself)
    C  JSON [from, to]: copy a file; both are paths from the top of the board
    R  JSON path: remove a file
    M  JSON {...}: the manifest: completes the slot and switches to it
    Q  end

Paths of F and R are relative to the folder. Each frame is answered by "+" once it is done; a
fault ends the session with a traceback. No byte of a frame is 3 (Ctrl-C): a host can stop a
half-received one at any time. Where the body has a 3, it is sent as 2, with a patch of two bytes
that says where: 128 + position // 128, 128 + position % 128. (Escapes undone by bytes.replace()
took 283 cycles a byte on an RP2040, receiving takes 1070.) A file is PATH.part until all of it is
there and reads back with the right CRC. Allocates the longest frame, twice if it is deflated.
"""

import binascii
import hashlib
import json
import os
import sys

FRAMES = 3  # version of the frames; a host that speaks another brings its own hedge_link
_HEAD_BYTES = 18
_COPY_BYTES = 1024
_FLUSH_BYTES = 16384  # a cut costs at most this much of a file that is sent again
_FOLDER = 0x4000


class GarbledError(ValueError):
    """A frame that is not what the host sent."""


class Receiver:
    """Writes what comes from a stream into a folder. switch(manifest text): what M does."""

    def __init__(self, source, sink, folder, switch=None):
        self._source, self._sink = source, sink
        self._folder = folder
        self._switch = switch
        self._file = None
        self._left = self._unflushed = 0

    def run(self):
        """Until Q. Raises GarbledError, OSError; what was received up to then is kept."""
        do = {b"F": self._begin, b"D": self._data, b"Z": self._deflated}
        do.update({b"C": self._copy, b"R": self._remove, b"M": self._complete})
        try:
            while True:
                kind, body = self._frame()
                if kind != b"Q":
                    do[kind](body)
                self._sink.write(b"+")
                if kind == b"Q":
                    return
        finally:
            if self._file:
                self._file.close()

    def _frame(self):
        head = self._source.read(_HEAD_BYTES)
        try:
            n_bytes, n_patches = int(head[1:5], 16), int(head[5:9], 16)
        except ValueError:
            raise GarbledError("head of a frame: %r" % head)
        body = bytearray(n_bytes)
        got = self._source.readinto(body) if n_bytes else 0
        patches = self._source.read(2 * n_patches) if n_patches else b""
        crc = binascii.crc32(patches, binascii.crc32(body))
        if got != n_bytes or b"%08x" % crc != head[9:17] or head[0:1] not in b"FDZCRMQ":
            raise GarbledError("a frame of %d bytes" % n_bytes)
        for i in range(0, len(patches), 2):
            body[(patches[i] & 127) << 7 | patches[i + 1] & 127] = 3
        return head[0:1], body

    def _begin(self, body):
        path, size, offset, self._crc = json.loads(bytes(body))
        self._path = self._folder + path
        make_folders(self._path)
        self._file = open(self._path + ".part", "ab" if offset else "wb")
        self._left = size - offset
        if not self._left:
            self._end()

    def _data(self, body):
        if self._file is None or len(body) > self._left:
            raise GarbledError("more data than the file has")
        self._file.write(body)
        self._left -= len(body)
        self._unflushed += len(body)
        if not self._left:
            self._end()
        elif self._unflushed >= _FLUSH_BYTES:
            self._file.flush()
            self._unflushed = 0

    def _deflated(self, body):
        self._data(inflate(body))

    def _end(self):
        self._file.close()
        self._file = None
        part = self._path + ".part"
        if crc_of(part) != self._crc:
            os.remove(part)
            raise OSError(5, "%s reads back wrong" % self._path)
        os.rename(part, self._path)

    def _copy(self, body):
        source, target = json.loads(bytes(body))
        make_folders(target)
        with open(source, "rb") as old, open(target + ".part", "wb") as new:
            block = old.read(_COPY_BYTES)
            while block:
                new.write(block)
                block = old.read(_COPY_BYTES)
        os.rename(target + ".part", target)

    def _remove(self, body):
        os.remove(self._folder + json.loads(bytes(body)))

    def _complete(self, body):
        self._switch(str(body, "utf-8"))


def receive(folder):
    """Files into folder ("/", or "/app/a/") from the serial line."""
    Receiver(sys.stdin.buffer, sys.stdout.buffer, folder).run()


def receive_app(slots):
    """An app into the spare slot, and the switch to it."""
    slot = slots.open_spare()

    def switch(manifest):
        slots.write(slot + "/manifest.json", manifest)
        slots.switch(slot)

    Receiver(sys.stdin.buffer, sys.stdout.buffer, "%s/%s/" % (slots.root, slot), switch).run()


def identity():
    """Three lines of JSON: the manifests of slots a and b as they are in their files, null if a
    slot has none, and what the board is; "app" null: no supervisor, and no slots."""
    stat = os.statvfs("/")
    found = {"mpy": getattr(sys.implementation, "_mpy", 0), "version": sys.version}
    found["machine"] = getattr(sys.implementation, "_machine", sys.platform)
    found["files"] = os.listdir("/")
    found["block_bytes"], found["free_blocks"] = stat[1] or stat[0], stat[3]
    found["frozen_hedge"] = has_frozen("hedge")
    found["boot"] = found["app"] = None
    try:
        from hedge_boot import Slots
    except (ImportError, SyntaxError, ValueError):  # ValueError: compiled for another MicroPython
        return _lines(found)
    try:
        with open("/app/boot.json") as file:
            found["boot"] = json.load(file)
    except (OSError, ValueError):
        return _lines(found)
    if not hasattr(Slots, "head"):  # an older supervisor: brought up to date first
        return _lines(found)
    slots = Slots()
    found["app"] = state(slots)
    return _lines(found, *[_text(slots, slot) for slot in ("a", "b")])


def _lines(found, a="null", b="null"):
    return "%s\n%s\n%s" % (a, b, json.dumps(found))


def _text(slots, slot):
    """Of the manifest, which the host parses: here that takes 40 ms for a hundred files."""
    if slots.head(slot) is None:
        return "null"
    try:
        with open("%s/%s/manifest.json" % (slots.root, slot)) as file:
            return file.read()
    except ValueError:  # damaged: no UTF-8
        return "null"


def has_frozen(package):
    """True if the firmware has the package in it."""
    path = list(sys.path)
    sys.path[:] = [".frozen"]
    try:
        return bool(__import__(package))
    except ImportError:
        return False
    finally:
        sys.path[:] = path


def state(slots):
    """The pointer, the slot that may be written, and the files of slots without a manifest."""
    found = {"spare": slots.spare(), "current": slots.current(), "boots": slots.boots()}
    for slot in ("a", "b"):
        complete = slots.head(slot) is not None
        found[slot] = {"files": {} if complete else survey("%s/%s/" % (slots.root, slot))}
    return found


def survey(folder, below="", found=None):
    """{path: [bytes, first 16 hex digits of its SHA-256]} of all files under folder."""
    found = {} if found is None else found
    try:
        names = os.listdir(folder + below)
    except OSError:
        return found
    for name in names:
        path = below + name
        stat = os.stat(folder + path)
        if stat[0] & _FOLDER:
            survey(folder, path + "/", found)
        else:
            found[path] = [stat[6], sha_of(folder + path)]
    return found


def sha_of(path):
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return binascii.hexlify(digest.digest()).decode()[:16]


def crc_of(path):
    crc = 0
    for block in blocks(path):
        crc = binascii.crc32(block, crc)
    return crc


def blocks(path):
    with open(path, "rb") as file:
        block = file.read(_COPY_BYTES)
        while block:
            yield block
            block = file.read(_COPY_BYTES)


def inflate(body):
    """Bytes of a raw deflate stream."""
    try:
        import deflate
    except ImportError:  # CPython
        import zlib

        return zlib.decompress(body, -12)
    import io

    with deflate.DeflateIO(io.BytesIO(body), deflate.RAW, 12) as stream:
        return stream.read()


def make_folders(path):
    """The folders that a file's path needs."""
    parts = path.split("/")[:-1]
    for n in range(1, len(parts) + 1):
        folder = "/".join(parts[:n])
        if folder:
            try:
                os.mkdir(folder)
            except OSError as error:
                if error.errno != 17:  # EEXIST
                    raise
