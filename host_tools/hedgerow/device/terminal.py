"""A board's prompt in this terminal: mpremote's, which knows the terminals of all systems."""

import subprocess
import sys

from hedgerow.device.link import SerialLink
from hedgerow.device.link_errors import LinkLostError
from hedgerow.errors import UsageError


def open_terminal(port: str, *, baud: int = 115200) -> None:
    """Carry keys and text until the user ends it.

    Raises PortError if the port does not open, UsageError without a terminal, LinkLostError if
    the board goes away; the terminal is as it was before.
    """
    SerialLink(port, baud=baud).close()  # tells why, if it does not open
    if not sys.stdin.isatty():
        raise UsageError("repl needs a terminal: `hedgerow run FILE` runs a file on the board")
    command = [sys.executable, "-m", "mpremote", "connect", port, "repl"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]  # of a traceback, where the board went away
        raise LinkLostError(f"{port}: the connection is lost: is the board plugged in? ({said})")
