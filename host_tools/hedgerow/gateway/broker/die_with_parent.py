"""Become another program that the kernel ends when the gateway dies, even by kill -9.

    python -I -S die_with_parent.py PARENT_PID PROGRAM ARGUMENT...

Runs alone (no imports from this package): it is started with -S and lives for milliseconds. On
systems without prctl it only executes the program; the gateway then ends a left-over broker by
its pid file at the next start.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; kept across execve


def main() -> None:
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != int(parent):  # died before the line above took effect
            sys.exit(1)
    os.execv(program, [program, *arguments])


main()
