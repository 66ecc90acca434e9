"""The DSP kernels on 32-bit boards give the very integers that plain Python gives here."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import dsp

PROGRAM = """
import array
import binascii
from hedge.dsp.fir import Fir
from hedge.dsp.iir import Biquads
from hedge.dsp.logmel import LogMel


def crcs(front_end):
    x, seed = array.array("h", bytes(2 * 1000)), 5
    for i in range(1000):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        x[i] = ((seed >> 16) - 32768) >> i // 64
    mel = LogMel(front_end)
    mel.push(x)
    vector = array.array("b", bytes(490))
    mel.vector_into(vector)
    y, z = array.array("h", bytes(2000)), array.array("h", bytes(2000))
    Biquads((5391087, 10782175, 5391087, 419032599, -172161493)).process(x, y)
    Fir((20000, -30000, 14000, 1), step=3).process(x, z)
    return [binascii.crc32(bytes(part)) for part in (mel._fft.bins, mel._store, vector, y, z)]
"""


def test_same_integers_as_here(board):
    names: dict = {}
    exec(PROGRAM, names)
    wanted = names["crcs"](dsp.kws_front_end())
    dsp.put_front_end(board)
    board.exec(PROGRAM)
    assert json.loads(board.exec("print(crcs('kws.hfe'))", timeout_s=100)) == wanted
