"""MicroPython program: time of the DSP front ends in a board's own unit, as one JSON line.

    times(front_end, clock, wrap, calls)

front_end: path of a .hfe file. clock: function that returns a rising count; wrap: where it starts
again at 0. Each figure is that of one of `calls` in a row, the median of five, less the cost of
reading the clock.
"""

import array
import json

from hedge.dsp.fft import RealFFT
from hedge.dsp.fir import Fir
from hedge.dsp.iir import Biquads
from hedge.dsp.logmel import LogMel
from hedge.dsp.tables import window_q15

_LOW_PASS = (5391087, 10782175, 5391087, 419032599, -172161493)  # butter(2, 0.1) in q28


def _noise(n):
    x, seed = array.array("h", bytes(2 * n)), 1
    for i in range(n):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        x[i] = (seed >> 18) - 8192
    return x


def _median(clock, wrap, call, calls, rounds=5):
    call()
    took = []
    for _ in range(rounds):
        start = clock()
        nothing = (clock() - start) % wrap
        start = clock()
        for _ in range(calls):
            call()
        took.append(((clock() - start) % wrap - nothing) // calls)
    return sorted(took)[rounds // 2]


def times(front_end, clock, wrap, calls):
    """Print a JSON object: figures by name."""
    x = _noise(1024)
    out = array.array("i", bytes(4 * 257))
    short = array.array("h", bytes(2048))
    fft, mel = RealFFT(512, window_q15("hann", 512)), LogMel(front_end)
    vector = array.array("b", bytes(mel.frames * mel.features))
    biquad, fir = Biquads(_LOW_PASS), Fir([1000] * 32)
    mel.push(x)
    todo = {
        "fft512": lambda: fft.run(x),
        "magnitude257": lambda: fft.magnitude_into(out),
        "frame": lambda: mel.push(x, mel.hop),
        "vector": lambda: mel.vector_into(vector),
        "biquad_1024": lambda: biquad.process(x, short),
        "fir32_1024": lambda: fir.process(x, short),
    }
    print(json.dumps({name: _median(clock, wrap, call, calls) for name, call in todo.items()}))
