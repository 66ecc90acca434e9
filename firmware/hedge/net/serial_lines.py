"""Frames on a serial line that also carries a log, a REPL and noise. Sans-io; see SPEC.md.

    line = pack("U", body)  # bytes, ends with a newline
    lines = Lines(LONGEST_TO_BOARD)
    for kind, body in lines.feed(b"a log line\\n" + line):
        ...

DESIGN: uplink -> gateway, for boards that hang on a cable; the host's end is `hedgerow bridge`.
Both ends use this file.
"""

from binascii import a2b_base64, b2a_base64, crc32

MARK = b"#~"  # a comment to a REPL; neither byte is in base64
VERSION = 1
NO_SESSION = bytes(2)  # in the place of one, for what is said to any board
MAX_FRAME_BYTES = 255
MAX_NAME_BYTES = 24
_CRC_DIGITS = 8
_SHORTEST = len(MARK) + 1 + _CRC_DIGITS  # an empty body
# Session, the longest ack or frame, in base64.
LONGEST_TO_BOARD = _SHORTEST + (2 + MAX_FRAME_BYTES + 2) // 3 * 4
LONGEST_TO_HOST = 8192  # the info map of a node with a hundred channels


def pack(kind, body):
    """The line of one message. kind: one ASCII letter. Allocates some 4 times the body."""
    middle = kind.encode() + b2a_base64(body)[:-1]
    return MARK + middle + b"%08x\n" % crc32(middle)


def unpack(line):
    """(kind, body) of a line that begins with MARK, without its end; None if it is damaged."""
    if len(line) < _SHORTEST:
        return None
    middle, digits = line[len(MARK) : -_CRC_DIGITS], line[-_CRC_DIGITS:]
    if b"%08x" % crc32(middle) != digits:
        return None
    try:
        return chr(middle[0]), a2b_base64(middle[1:])
    except ValueError:
        return None


class Lines:
    """Finds messages in what a line brings; the rest is text.

    longest: bytes of a line without an end that are kept. on_text(bytes): called for each line, or
    part of one, that is no message. damaged: lines with a mark that are no message.
    """

    def __init__(self, longest, on_text=None):
        self._longest = longest
        self._on_text = on_text
        self._held = b""
        self.damaged = 0

    def feed(self, data):
        """List of (kind, body) that became complete. Holds at most longest bytes beyond them."""
        found = []
        held = self._held + bytes(data)
        while True:
            end = held.find(b"\n")
            if end < 0:
                break
            self._line(held[:end], found)
            held = held[end + 1 :]
        self._held = self._shortened(held)
        return found

    def _line(self, line, found):
        if line.endswith(b"\r"):
            line = line[:-1]
        # The last mark: what is cut off before it, a prompt or half a frame, is text.
        at = line.rfind(MARK)
        message = unpack(line[at:]) if at >= 0 else None
        if message is None:
            self.damaged += at >= 0
            self._text(line)
            return
        if at:
            self._text(line[:at])
        found.append(message)

    def _shortened(self, held):
        """An endless line goes out as text, but for a message that may have begun in it."""
        if len(held) <= self._longest:
            return held
        at = held.rfind(MARK)
        if at <= 0 or len(held) - at > self._longest:
            at = len(held) - held.endswith(MARK[:1])
        self._text(held[:at])
        return held[at:]

    def _text(self, text):
        if self._on_text:
            self._on_text(text)
