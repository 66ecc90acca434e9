"""MicroPython's raw REPL: run source text on a board, get back what it printed.

Source: docs/reference/repl.rst of MicroPython, "Raw mode".
"""

from typing import Protocol

from hedgerow.errors import DeviceError

_ENTER = b"\r\x03\x03\x01"  # interrupt twice, then Ctrl-A
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_ACCEPTED = b"OK"
_END = b"\x04"
_TAIL_CHARS = 1500


class Link(Protocol):
    """A serial line to a board."""

    def talk(self, send: bytes, until: bytes, timeout_s: float) -> bytes:
        """Send, then receive until the answer ends with `until`; the whole answer.

        Raises DeviceError after timeout_s or if the board stopped.
        """


class RawRepl:
    """The raw REPL of the board at the other end of link."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name

    def enter(self, timeout_s: float) -> None:
        """Stop what runs and enter raw mode."""
        self._link.talk(_ENTER, _BANNER, timeout_s)

    def run(self, source: str, timeout_s: float) -> str:
        """What source prints. Raises DeviceError with the traceback if it raises."""
        answer = self._link.talk(source.encode() + _END, _END + b">", timeout_s)
        printed, error = _split(answer)
        if error:
            raise DeviceError(f"{self._name}: the program failed:\n{printed}{error}".rstrip())
        return printed


def _split(answer: bytes) -> tuple[str, str]:
    """What the program printed, and its traceback."""
    if not answer.startswith(_ACCEPTED):
        raise DeviceError(f"unexpected answer of the raw REPL: {answer[:80]!r}")
    printed, error, _ = answer[len(_ACCEPTED) :].rsplit(_END, 2)
    return _text(printed), _text(error)


def _text(received: bytes) -> str:
    return received.decode("utf-8", "replace").replace("\r\n", "\n")


def timeout_text(name: str, timeout_s: float, received: bytes) -> str:
    """Message for a board that gave no answer in time."""
    tail = _text(received.removeprefix(_ACCEPTED))[-_TAIL_CHARS:]
    said = f"; it printed last:\n{tail}" if tail else ""
    return f"{name}: no answer within {timeout_s:g} s: give it more time{said}"
