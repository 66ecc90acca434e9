"""What can go wrong between a host and a board; who catches which decides what is tried again.

DeviceError
  PortError        the port does not open: nothing was sent
  LinkLostError    the board went away or stopped answering: plug it in again, go on
  GarbledLinkError the line carried something else: the session is worth another try
  NoReplError      it answers, but not as a MicroPython REPL
  BoardError       its program raised; `kind` and `number` say what
"""

import re

from hedgerow.errors import DeviceError


class PortError(DeviceError):
    pass


class LinkLostError(DeviceError):
    pass


class GarbledLinkError(DeviceError):
    pass


class NoReplError(DeviceError):
    pass


class BoardError(DeviceError):
    """traceback: as MicroPython prints it. number: errno of an OSError, None for others."""

    def __init__(self, port: str, traceback: str) -> None:
        self.traceback = traceback.strip()
        last = self.traceback.splitlines()[-1] if self.traceback else ""
        self.kind = last.partition(":")[0]
        found = re.match(r"OSError: (?:\[Errno )?(-?\d+)", last)
        self.number = abs(int(found[1])) if found else None
        cure = _CURES.get(self.number or 0)
        said = (
            f"{cure} It said: {last}" if cure else f"the board's program failed:\n{self.traceback}"
        )
        super().__init__(f"{port}: {said}")


# errno of MicroPython (py/mperrno.h) -> what it means for a person.
_CURES = {
    2: "no such file on the board: `hedgerow ls` shows what there is.",
    5: "the board's flash gave an error: run `hedgerow doctor`.",
    28: "the board's file system is full: remove files with `hedgerow rm`.",
    30: "the board's file system is read-only: is it mounted by a computer as a drive?",
}
