"""Ports of the loopback interface that nobody else on this machine is given.

    port = free_port()              TCP
    port = free_udp_port(2)         UDP, with the next one

A port of the OS's choice is free at that moment: another test's broker or relay may be given it
before ours binds it, or while ours is killed and started again. These lie below the OS's range. A
process takes them in blocks, and holds a block by an abstract Unix socket, whose name ends with
the process (Linux, unix(7)). None is given out twice.
"""

import random
import socket
import threading
from pathlib import Path

_FIRST, _END = 10_000, 32_768
_BLOCK = 64
_OS_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

_lock = threading.Lock()
_names: list[socket.socket] = []  # of the blocks held
_left: list[int] = []  # of the last block


def free_port() -> int:
    """A port for a TCP listener, now or later, and again after that one has ended."""
    return _take(1, socket.SOCK_STREAM)


def free_udp_port(count: int = 1) -> int:
    """As free_port(), for datagrams; the first of `count` neighbours."""
    return _take(count, socket.SOCK_DGRAM)


def _take(count: int, kind: socket.SocketKind) -> int:
    with _lock:
        while True:
            if len(_left) < count:
                _left[:] = _new_block()
            ports = [_left.pop(0) for _ in range(count)]
            if all(_is_free(port, kind) for port in ports):
                return ports[0]


def _new_block() -> range:
    firsts = list(range(_FIRST, _end() - _BLOCK, _BLOCK))
    random.SystemRandom().shuffle(firsts)  # not the dice that a test has thrown
    for first in firsts:
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0hedgerow-ports-{first}")
        except OSError:
            name.close()
            continue
        _names.append(name)
        return range(first, first + _BLOCK)
    raise AssertionError("every block of ports is held by a process")


def _end() -> int:
    """Where the OS's own range begins, if there is room below it."""
    begin = int(_OS_RANGE.read_text().split()[0])
    return min(begin, _END) if begin > _FIRST + _BLOCK else _END


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
