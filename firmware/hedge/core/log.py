"""One line per event, on standard output, with device time.

    from ..core import log
    log.info("uplink", "connected to %s", host)

Repeated lines are the caller's duty to avoid: log the first failure and the recovery.
"""

from . import clock

DEBUG = 0
INFO = 1
WARN = 2

level = INFO
warnings = 0  # counted even when not printed, reported with the node's statistics


def _write(mark, area, text, args):
    print("%d %s %s: %s" % (clock.epoch_s(), mark, area, text % args if args else text))


def debug(area, text, *args):
    """Detail for a developer; off unless log.level is DEBUG."""
    if level <= DEBUG:
        _write("D", area, text, args)


def info(area, text, *args):
    """Something a person may want to know."""
    if level <= INFO:
        _write("I", area, text, args)


def warn(area, text, *args):
    """Something that needs care or was lost; counted."""
    global warnings
    warnings += 1
    if level <= WARN:
        _write("W", area, text, args)
