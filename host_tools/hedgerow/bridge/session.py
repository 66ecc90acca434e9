"""One board's end of the serial link on the host: messages in, messages out, text passed on.

firmware/hedge/net/SPEC.md has the bytes. What a session needs of its surroundings comes in as
functions, so that it runs without a port and without a broker.
"""

import re
from collections.abc import Callable
from typing import Protocol

from hedge.net.serial_lines import LONGEST_TO_HOST, NO_SESSION, VERSION, Lines, pack

_NAME = re.compile(r"[a-z0-9-]{1,24}")
_BROKER_S = 8.0  # the board gives up after 10
_SPARE_S = 10.0  # a ping may be late by the time-out of the board's link
_HERE_S = (0.0, 1.0, 3.0)  # after the port was opened, until the board speaks: noise may spoil one


class Client(Protocol):
    """What bridge/client.py is."""

    ready: bool
    sessions: int
    failures: int
    reason: str

    def set_info(self, info: bytes) -> None: ...
    def publish(self, frame: bytes) -> bool: ...
    def close(self) -> None: ...


class Refused(Exception):
    """Why a device is not taken; goes to the board."""


class Session:
    """Feed it what the board says, tick() it a few times a second, end() it with the port.

    send(line): to the board; called from the thread that calls feed, and by give_ack() from any.
    enter(name, on_ack) -> Client; raises Refused. on_text(name or "", bytes): lines that are none
    of ours. told(text): for the user.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        enter: Callable[[str, Callable[[bytes], None]], Client],
        on_text: Callable[[str, bytes], None],
        told: Callable[[str], None],
    ) -> None:
        self.name = ""
        self._send = send
        self._enter = enter
        self._told = told
        self._lines = Lines(LONGEST_TO_HOST, lambda text: on_text(self.name, bytes(text)))
        self._client: Client | None = None
        self._id = b""  # of the board's session, b"" while there is none
        self._welcomed_in = 0  # the client's session then, 0: not yet
        self._silent_s = 0.0  # longest silence of a living board
        self._heard_s = self._asked_s = 0.0
        self._failures = 0  # of the client, when the board asked
        self._opened_s: float | None = None  # first tick
        self._told_here = 0  # how often; all of _HERE_S once the board has spoken
        self._waits_for_broker = False  # a board was sent away until the broker is there
        self.frames = self.acks = 0

    @property
    def damaged(self) -> int:
        """Lines that looked like messages and were none."""
        return self._lines.damaged

    def feed(self, data: bytes, now_s: float) -> None:
        """Take what came from the board."""
        for kind, body in self._lines.feed(data):
            take = _TAKE.get(kind)
            if take is not None and len(body) >= 2:  # small kinds: an echo of our own
                self._heard_s = now_s
                self._told_here = len(_HERE_S)
                take(self, body[:2], body[2:], now_s)

    def tick(self, now_s: float) -> None:
        """What is due by now: a welcome, a refusal, silence; that a bridge is here."""
        self._tell_here(now_s)
        if not self._id or self._client is None:
            return
        if not self._welcomed_in:
            self._welcome(now_s)
        elif not self._client.ready or self._client.sessions != self._welcomed_in:
            self._told(f"{self.name}: lost the broker: {self._client.reason}")
            self._refuse(self._id, "lost the broker", waits=True)
        elif now_s - self._heard_s > self._silent_s:
            self._told(f"{self.name}: silent for {self._silent_s:.0f} s: offline")
            self._leave()

    def _tell_here(self, now_s: float) -> None:
        """A board between two attempts, or in a session with an earlier bridge, begins at once."""
        if self._opened_s is None:
            self._opened_s = now_s
        due = self._told_here < len(_HERE_S)
        due = due and now_s - self._opened_s >= _HERE_S[self._told_here]
        back = self._waits_for_broker and self._client is not None and self._client.ready
        if due or back:
            self._told_here += due
            self._waits_for_broker = False
            self._send(pack("h", NO_SESSION + bytes((VERSION,))))

    def give_ack(self, ack: bytes) -> None:
        """Hand an ack to the board; one that nobody waits for is dropped."""
        if self._id and self._welcomed_in:
            self._send(pack("a", self._id + ack))
            self.acks += 1

    def end(self, reason: str = "") -> None:
        """The port is gone, or (with a reason, for the board) the bridge ends."""
        if self._id and reason:
            self._refuse(self._id, reason)
        self._leave()

    def _hello(self, session: bytes, body: bytes, now_s: float) -> None:
        try:
            name, keepalive_s = _read_hello(body)
            if name != self.name:
                self._leave()
            if self._client is None:
                self._client = self._enter(name, self.give_ack)
        except Refused as refused:
            self._told(f"{self.name or 'a board'}: not taken: {refused}")
            self._refuse(session, str(refused))
            return
        self.name, self._silent_s = name, 1.5 * keepalive_s + _SPARE_S
        if session != self._id:
            self._id, self._asked_s, self._welcomed_in = session, now_s, 0
            self._failures = self._client.failures
        self._welcome(now_s)

    def _welcome(self, now_s: float) -> None:
        """Once the broker is there; a repeated hello is answered again."""
        assert self._client is not None
        if self._client.ready:
            if not self._welcomed_in:
                self._told(f"{self.name}: online")
            self._welcomed_in = self._client.sessions
            self._send(pack("w", self._id))
        elif now_s - self._asked_s > _BROKER_S or self._client.failures > self._failures:
            self._told(f"{self.name}: {self._client.reason}")
            self._refuse(self._id, self._client.reason, waits=True)

    def _info(self, session: bytes, body: bytes, now_s: float) -> None:
        if self._is_open(session) and self._client is not None:
            self._client.set_info(body)

    def _up(self, session: bytes, frame: bytes, now_s: float) -> None:
        if self._is_open(session) and self._client is not None:
            self.frames += self._client.publish(frame)  # a frame that is lost comes again

    def _ping(self, session: bytes, body: bytes, now_s: float) -> None:
        if self._is_open(session):
            self._send(pack("p", session))

    def _bye(self, session: bytes, body: bytes, now_s: float) -> None:
        if session == self._id:
            self._leave()

    def _is_open(self, session: bytes) -> bool:
        """False, and the board is told so, if it speaks in a session that is not."""
        if session == self._id and self._welcomed_in:
            return True
        if session != self._id:
            self._send(pack("n", session + b"unknown session"))
        return False

    def _refuse(self, session: bytes, reason: str, waits: bool = False) -> None:
        """End a session, but stay at the broker: the board asks again. waits: told when to."""
        self._send(pack("n", session + reason.encode()[:200]))
        self._id = b""
        self._waits_for_broker = waits

    def _leave(self) -> None:
        self._id = b""
        if self._client is not None:
            client, self._client = self._client, None
            client.close()
            self._told(f"{self.name}: offline")


def _read_hello(body: bytes) -> tuple[str, int]:
    """(name, keepalive_s). Raises Refused."""
    if len(body) < 3 or body[0] != VERSION:
        spoken = body[0] if body else "?"
        raise Refused(f"serial link version {spoken}, this bridge speaks {VERSION}")
    name = body[3:].decode("utf-8", "replace")
    if not _NAME.fullmatch(name):
        raise Refused(f"device name {name[:40]!r}: 1 to 24 of a-z 0-9 -")
    return name, body[1] << 8 | body[2]


_TAKE = {
    "H": Session._hello,
    "I": Session._info,
    "U": Session._up,
    "P": Session._ping,
    "B": Session._bye,
}
