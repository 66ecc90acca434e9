"""What a modem says, cut into lines, prompts and counted bytes. Sans-io, bounded.

    parser = AtLines(b"+CARECV: ", b",")
    for kind, value in parser.feed(data):
        ...                            # "line", b"+CSQ: 18,99"; "prompt", b">"; "data", bytes

Source: ITU-T V.250 section 5.7.1: an answer is <CR><LF>text<CR><LF>; the prompt of a command that
takes data is <CR><LF>> (3GPP TS 27.005 section 3.5.1 and SIMCom's manuals) and ends no line.
"""

MAX_LINE_BYTES = 256
MAX_DATA_BYTES = 1460


class AtLines:
    """counted: how a line begins that announces bytes as they are; ends: what stands between the
    announcement and the bytes. The count is the first number after `counted`.

    wants_prompt: whether a > at the begin of a line is a prompt. dropped: bytes of endless lines.
    """

    def __init__(self, counted, ends):
        self._counted = counted
        self._ends = ends
        self._held = b""
        self._missing = 0  # bytes of data that are still to come
        self._skips = False  # the rest of an endless line
        self.wants_prompt = False
        self.dropped = 0

    def reset(self):
        """The other side starts anew."""
        self._held = b""
        self._missing = 0
        self._skips = self.wants_prompt = False

    def feed(self, data):
        """List of (kind, value) that became complete."""
        self._held += bytes(data)
        found = []
        while self._step(found):
            pass
        if len(self._held) > MAX_LINE_BYTES and not self._missing:
            self.dropped += len(self._held)
            self._held = b""
            self._skips = True
        return found

    def _step(self, found):
        """Take one thing off the front of what is held; False if nothing there is complete."""
        if self._missing:
            return self._take_data(found)
        self._held = self._held.lstrip(b"\r\n") if not self._skips else self._held
        if self.wants_prompt and self._held[:1] == b">" and not self._skips:
            self._held = self._held[1:].lstrip(b" ")
            self.wants_prompt = False
            found.append(("prompt", b">"))
            return True
        if not self._skips and self._held.startswith(self._counted) and self._announced():
            return True
        return self._take_line(found)

    def _take_data(self, found):
        if len(self._held) < self._missing:
            return False
        found.append(("data", self._held[: self._missing]))
        self._held = self._held[self._missing :]
        self._missing = 0
        return True

    def _announced(self):
        """True if the head of a counted answer is there and says a number that can be."""
        end = self._held.find(self._ends)
        line_end = self._held.find(b"\n")
        if end < 0 or (0 <= line_end < end):
            return False
        count = self._held[len(self._counted) : end].split(b",")[0].strip()
        if not count.isdigit() or len(count) > 4 or not 0 < int(count) <= MAX_DATA_BYTES:
            return False  # a line like others; zero bytes announce nothing
        self._missing = int(count)
        self._held = self._held[end + len(self._ends) :]
        return True

    def _take_line(self, found):
        end = self._held.find(b"\n")
        if end < 0:
            return False
        line = self._held[:end].rstrip(b"\r")
        self._held = self._held[end + 1 :]
        if self._skips:
            self._skips = False
            self.dropped += end
        elif line:
            found.append(("line", line))
        return True
