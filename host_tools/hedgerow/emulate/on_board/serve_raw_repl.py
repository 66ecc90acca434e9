"""Runs under the Unix port, which has no raw REPL: serve one on stdin and stdout."""

import io
import sys

_BANNER = "raw REPL; CTRL-B to exit\r\n>"


def _read_source():
    """Text up to Ctrl-D; None at the end of stdin. What the host sends to interrupt is dropped."""
    parts = []
    while True:
        byte = sys.stdin.buffer.read(1)
        if not byte:
            return None
        if byte == b"\x04":
            return b"".join(parts).decode()
        if byte == b"\x01":
            parts = []
            sys.stdout.write(_BANNER)
        else:
            parts.append(byte)


def serve():
    names = {"__name__": "__main__"}
    source = _read_source()
    while source is not None:
        error = io.StringIO()
        sys.stdout.write("OK")
        try:
            exec(source, names)
        except Exception as e:  # noqa: BLE001  whatever the program raises is its answer
            sys.print_exception(e, error)
        sys.stdout.write("\x04" + error.getvalue() + "\x04>")
        source = _read_source()


serve()
