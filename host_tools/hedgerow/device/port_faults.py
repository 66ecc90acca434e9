"""Why a serial port does not open: cause and cure, from what the system says about its file."""

import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def why_closed(port: str) -> str | None:
    """One line with the cure, None if no cause is found (or the port is not a file)."""
    path = Path(port)
    if os.name != "posix" or "://" in port:
        return None
    if not path.exists():
        return (
            f"{port}: there is no such port: is the board plugged in, with a cable that carries "
            "data (many only charge)? `hedgerow doctor` lists the ports"
        )
    if not path.is_char_device():
        return f"{port}: is not a serial port"
    return _why_refused(port)


def _why_refused(port: str) -> str | None:
    try:
        handle = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        return refusal(port, error.errno or 0)
    try:
        if _is_locked(handle):
            return refusal(port, errno.EBUSY)
    finally:
        os.close(handle)
    return None


def refusal(port: str, number: int) -> str:
    """The line for an errno of open()."""
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"{port}: you may not open it: `sudo usermod -a -G {_group(port)} $USER`, "
            "then log in again"
        )
    if number in (errno.EBUSY, errno.EAGAIN):
        return f"{port}: another program has it open: close its monitor or REPL, then try again"
    return f"{port}: does not open: {os.strerror(number)}"


def _group(port: str) -> str:
    try:
        return Path(port).group()
    except (KeyError, OSError):
        return "dialout"


def _is_locked(handle: int) -> bool:
    """pyserial and mpremote hold a lock on a port that they opened for themselves."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
