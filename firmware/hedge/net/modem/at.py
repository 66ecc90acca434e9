"""AT commands over a UART: one at a time, each with a limit; what comes unasked goes elsewhere.

    at = At(stream, AtLines(b"+CARECV: ", b","), on_urc)
    at.start()
    lines = await at.command("AT+CSQ", "+CSQ:")     # [b"+CSQ: 18,99"]

Nothing here blocks the loop: a task reads, a command waits for what it finds. A command whose
caller is cancelled is heard to its end, or its late OK would answer the next one. An answer that
does not come in time, or not whole, is a LinkError; sync() must come before further commands.
"""

import asyncio

from ...core.errors import LinkError
from ..link import shown

_READ_BYTES = 64
_MOST_LINES = 8  # of an answer
_OK = (b"OK",)
_ERRORS = (b"ERROR", b"NO CARRIER", b"+CME ERROR", b"+CMS ERROR", b"SEND FAIL", b"CONNECT FAIL")


class At:
    """stream: has `await readinto(buf)` and `await write(data, limit_ms)`, as serial_stream.Uart.

    on_urc(line): called for each line that is no answer to a command, from the reading task.
    on_end(error): called when the stream has ended.
    """

    def __init__(self, stream, lines, on_urc, on_end):
        self._stream = stream
        self._lines = lines
        self._on_urc = on_urc
        self._on_end = on_end
        self._buf = bytearray(_READ_BYTES)
        self._busy = asyncio.Lock()
        self._sent = b""  # the command under way, to know its echo
        self._prefix = None  # of the lines that answer it; None: no command is under way
        self._finals = _OK
        self._answer = []
        self._data = b""
        self._final = None  # the line that ended the answer
        self._prompted = False
        self._fault = None
        self._changed = asyncio.Event()
        self._task = None
        self._jobs = []  # a task that nobody holds may be collected

    def start(self):
        self.stop()
        self._lines.reset()
        self._fault = None
        self._task = asyncio.create_task(self._read())

    def stop(self):
        """The UART is for someone else now. May be called any time."""
        if self._task:
            self._task.cancel()
            self._task = None
            self._fault = LinkError("modem: stopped")
            self._changed.set()

    async def _read(self):
        try:
            while True:
                n = await self._stream.readinto(self._buf)
                if not n:
                    raise LinkError("modem: the line was closed")
                for kind, value in self._lines.feed(memoryview(self._buf)[:n]):
                    self._take(kind, value)
                self._changed.set()
        except (LinkError, OSError) as e:
            self._fault = e
            self._changed.set()
            self._on_end(e)

    def _take(self, kind, value):
        if kind == "prompt":
            self._prompted = True
        elif kind == "data":
            self._data = value
        elif self._prefix is None or value == self._sent:
            if value != self._sent:
                self._on_urc(value)
        elif self._is_final(value):
            self._final = value
        elif value.startswith(b"CONNECT ") and b"CONNECT" in self._finals:
            self._final = b"CONNECT"  # V.250 section 5.7.1: a rate may follow
        elif self._prefix and value.startswith(self._prefix) and len(self._answer) < _MOST_LINES:
            self._answer.append(value)
        else:
            self._on_urc(value)

    def _is_final(self, line):
        if line in self._finals:
            return True
        for final in _ERRORS:
            if line.startswith(final):
                return True
        return False

    async def command(self, text, prefix="", limit_ms=5000, finals=_OK, data=None):
        """The lines that begin with prefix, once one of finals came.

        data: bytes that go out after the prompt. Raises LinkError with the modem's word for no.
        """
        return (await self._heard_out(text, prefix, limit_ms, finals, data))[0]

    async def read_data(self, text, prefix, limit_ms=5000):
        """As command(), but returns (lines, the counted bytes of the answer or b"")."""
        return await self._heard_out(text, prefix, limit_ms, _OK, None)

    async def _heard_out(self, *how):
        """In a task of its own: MicroPython hands a cancel on to what is awaited."""
        found = []
        done = asyncio.Event()
        job = asyncio.create_task(self._one(found, done, *how))
        self._jobs.append(job)
        await done.wait()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    async def _one(self, found, done, text, prefix, limit_ms, finals, data):
        try:
            async with self._busy:
                self._data = b""
                work = self._exchange(text.encode(), prefix.encode(), limit_ms, finals, data)
                found.append((await work, self._data))
        except (LinkError, OSError) as e:
            found.append(e)
        except asyncio.TimeoutError:
            found.append(LinkError("modem: takes no bytes"))
        finally:
            self._jobs.remove(asyncio.current_task())
            done.set()

    async def _exchange(self, text, prefix, limit_ms, finals, data):
        if self._fault:
            raise self._fault
        self._sent, self._prefix, self._finals = text, prefix, finals
        self._answer = []
        self._final, self._prompted = None, False
        self._lines.wants_prompt = data is not None
        try:
            await asyncio.wait_for_ms(self._talk(text, data, limit_ms), limit_ms)
        except asyncio.TimeoutError:
            raise LinkError("modem: no answer to %s" % _shown(text))
        finally:
            self._prefix = None
            self._lines.wants_prompt = False
        if self._final not in finals:
            raise LinkError("modem: %s: %s" % (_shown(text), _shown(self._final)))
        return self._answer

    async def _talk(self, text, data, limit_ms):
        await self._stream.write(text + b"\r", limit_ms)
        if data is not None:
            while not self._prompted and self._final is None:
                await self._change()
            if self._final is not None:
                return
            await self._stream.write(data, limit_ms)
        while self._final is None:
            await self._change()

    async def _change(self):
        if self._fault:
            raise self._fault
        self._changed.clear()
        await self._changed.wait()

    async def sync(self, tries, wait_ms):
        """True once the modem answers AT twice in a row; late answers are read away before.

        A modem that still waits for the bytes of an interrupted command takes ESC, or that many
        bytes, for its end; to any other a CR is an empty command.
        """
        await asyncio.sleep_ms(wait_ms // 2)
        good = 0
        for i in range(tries):
            try:
                await self.command("AT", limit_ms=wait_ms)
                good += 1
            except LinkError:
                if self._fault:
                    raise self._fault
                good = 0
                self._lines.reset()
                await self._stream.write((b"\x1b", b"\r" * 1024)[i % 2], 2000)
            if good == 2:
                return True
        return False


def _shown(line):
    """For messages; secrets are after the = of a command."""
    text = shown(line, 60)
    return text.split("=")[0] if text.startswith("AT") else text
