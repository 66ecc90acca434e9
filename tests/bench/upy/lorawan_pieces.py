"""The longest pieces that a LoRaWAN uplink computes without a wait, in microseconds."""

import gc
import json
import time

from hedge.net.lorawan import payload, phy, skeleton
from hedge.wire import senml

_TIMES = 3


def _records():
    return [
        senml.encode(1760000000 + 900 * i, [("soil.vwc", "%", (2340 - 3 * i) / 100)])
        for i in range(8)
    ]


def _median_us(function):
    took_us = []
    for _ in range(_TIMES):
        gc.collect()
        begin_us = time.ticks_us()
        function()
        took_us.append(time.ticks_diff(time.ticks_us(), begin_us))
    return sorted(took_us)[_TIMES // 2]


def _pack(size):
    message = phy.Data(phy.UNCONFIRMED_UP, 1, 0, 5, b"", 1, bytes(size))
    return lambda: phy.pack_data(message, b"n" * 16, b"a" * 16)


def _accept():
    accept = phy.JoinAccept(1, 2, 3, 0, 1, bytes(16))
    data = phy.pack_join_accept(accept, b"k" * 16)
    return lambda: phy.unpack_join_accept(data, b"k" * 16)


def main():
    records = _records()
    known = {skeleton.digest(skeleton.split(records[0])[0]): True}
    composer = payload.Composer(payload.Entry(3, 1, 300, 290, records), 51, known)
    pieces = {
        "record": composer.add_next,
        "finish": composer.finish,
        "pack_51": _pack(51),
        "pack_222": _pack(222),
        "join_accept": _accept(),
    }
    print(json.dumps({name: _median_us(function) for name, function in pieces.items()}))
